from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockless.credentials.login_credential import GivenLogin, login_credential
from dockless.credentials.prompting import NOBODY
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.login import LoginTarget
from dockless.model.secret import Secret

PRIVATE = LoginTarget(kinds.PRIVATE, "localhost:5000", "localhost:5000")
ECR_HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@dataclass
class Terminal:
    """A terminal at which somebody answers."""

    answer: str = ""
    stdin: str = ""
    asked: list[str] = field(default_factory=list)

    def at_terminal(self) -> bool:
        return True

    def line(self, text: str, default: str = "") -> str:
        self.asked.append(text)
        return self.answer or default

    def hidden(self, text: str) -> Secret:
        self.asked.append(text)
        return Secret("typed")

    def piped(self) -> str:
        return self.stdin


def given(*, username: str = "", account: str = "", stdin: bool = False) -> GivenLogin:
    return GivenLogin(
        username=username, password_stdin=stdin, key_file=None, account=account, folder=None
    )


@pytest.mark.parametrize(
    ("username", "account", "environment", "user"),
    [
        ("flag", "settings", {"DOCKLESS_USERNAME": "environment"}, "flag"),
        ("", "settings", {"DOCKLESS_USERNAME": "environment"}, "environment"),
        ("", "settings", {}, "settings"),
    ],
)
def test_a_password_of_standard_input_is_the_first_known_accounts(
    username: str, account: str, environment: dict[str, str], user: str
) -> None:
    who = given(username=username, account=account, stdin=True)
    credential, source = login_credential(Terminal(stdin="pw\r\n"), who, PRIVATE, environment)
    assert (credential.username, credential.password.reveal(), source) == (user, "pw", "")


def test_a_password_of_the_environment_needs_an_account() -> None:
    environment = {"DOCKLESS_PASSWORD": "pw", "DOCKLESS_USERNAME": "me"}
    credential, _ = login_credential(NOBODY, given(), PRIVATE, environment)
    assert (credential.username, credential.origin) == ("me", "environment")
    with pytest.raises(UsageError, match="no terminal"):
        login_credential(NOBODY, given(account="me"), PRIVATE, {"DOCKLESS_PASSWORD": "pw"})


@pytest.mark.parametrize(("own", "typed"), [("envu", "zed"), ("me", "Me"), ("a", "b")])
def test_a_password_of_the_environment_is_not_used_with_another_username(
    own: str, typed: str
) -> None:
    environment = {"DOCKLESS_PASSWORD": "pw", "DOCKLESS_USERNAME": own}
    with pytest.raises(UsageError, match=f"DOCKLESS_PASSWORD is for {own}, not {typed}"):
        login_credential(NOBODY, given(username=typed), PRIVATE, environment)
    credential, _ = login_credential(Terminal(), given(username=typed), PRIVATE, environment)
    assert (credential.username, credential.password.reveal()) == (typed, "typed")


@pytest.mark.parametrize(
    ("username", "account", "answer", "user"),
    [("flag", "", "", "flag"), ("", "settings", "", "settings"), ("", "", "typed", "typed")],
)
def test_what_is_missing_is_asked_for(username: str, account: str, answer: str, user: str) -> None:
    terminal = Terminal(answer)
    who = given(username=username, account=account)
    credential, source = login_credential(terminal, who, PRIVATE, {})
    assert (credential.username, source) == (user, "")
    assert credential.password.reveal() == "typed"
    assert len(terminal.asked) == (1 if username else 2)


def test_ecr_is_never_asked_for_a_password() -> None:
    target = LoginTarget(kinds.ECR, ECR_HOST, ECR_HOST)
    terminal = Terminal()
    with pytest.raises(UsageError, match="No token for"):
        login_credential(terminal, given(username="AWS"), target, {})
    assert terminal.asked == []


def test_a_key_file_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    who = GivenLogin(
        username="",
        password_stdin=False,
        key_file=tmp_path / "key.json",
        account="",
        folder=None,
    )
    with pytest.raises(UsageError):
        login_credential(NOBODY, who, PRIVATE, {})


@pytest.mark.parametrize("user", ["me", "ci-bot", "a@b.example"])
def test_only_what_is_missing_is_said_to_be_missing(user: str) -> None:
    with pytest.raises(UsageError) as caught:
        login_credential(NOBODY, given(username=user), PRIVATE, {})
    assert f"no terminal to ask for the password of {user} for localhost:5000" in caught.value.what
    assert caught.value.remedy == "Give it with --password-stdin."
    with pytest.raises(UsageError, match="a username and a password"):
        login_credential(NOBODY, given(), PRIVATE, {})


def test_a_source_that_is_missing_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        login_credential(
            NOBODY, given(), LoginTarget(kinds.ECR, ECR_HOST, ECR_HOST), {"PATH": str(tmp_path)}
        )
    for name in ("boto3", "aws", "docker-credential-ecr-login"):
        assert f"{name}: {name}" not in caught.value.what
        assert f"{name} is not installed" in caught.value.what or name == "boto3"
    assert "pip install" not in str(caught.value)
    assert "its extra `aws`" in caught.value.remedy
