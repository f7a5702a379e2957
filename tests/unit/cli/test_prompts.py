import io
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from dockless.cli import prompts
from dockless.cli.options import push_options
from dockless.config.cascade import Settings
from dockless.config.naming import ServerNeeded
from dockless.config.setting import Setting
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.given import credential, read_given
from dockless.credentials.prompting import with_empty_password
from dockless.errors import AuthError, UsageError
from dockless.model import kinds
from dockless.model.options import CommandOptions
from dockless.model.secret import Secret
from dockless.oci.reference import Name, Repository

REFUSED = AuthError("It requires a credential.")


@dataclass
class Person:
    """Somebody at a terminal, or nobody; what was asked is kept."""

    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)

    def prompt(
        self,
        text: str,
        *,
        default: str,
        show_default: bool,
        hide_input: bool = False,
        err: bool = False,
    ) -> str:
        assert err
        assert (default, show_default) == ("", False)
        self.asked.append(text)
        self.hidden.append(hide_input)
        return self.answers.pop(0)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    found = Person()
    monkeypatch.setattr(prompts, "at_terminal", lambda: bool(found.answers))
    monkeypatch.setattr(click, "prompt", found.prompt)
    return found


def options(*arguments: str) -> CommandOptions:
    """Return the options that these arguments give."""
    found: list[CommandOptions] = []

    @click.command()
    @push_options
    def command(**given: Any) -> None:  # noqa: ANN401 - as click gives them
        found.append(CommandOptions(**given))

    command.main(list(arguments), standalone_mode=False)
    return found[0]


def settings(**given: Any) -> Settings:  # noqa: ANN401 - any of the settings
    return Settings(project=lambda: Setting("shop", "folder name"), **given)


@pytest.mark.parametrize("answer", ["10.0.0.5:5000", "https://10.0.0.5:5000/", " 10.0.0.5:5000 "])
def test_a_registry_of_ones_own_is_asked_for(person: Person, answer: str) -> None:
    person.answers = [answer]
    private = settings(registry=Setting(kinds.PRIVATE, "--registry"))
    answered, target = prompts.target(private, None)
    assert str(target.references[0]) == "10.0.0.5:5000/shop:latest"
    assert answered.server == Setting("10.0.0.5:5000", "prompt")


def test_without_a_terminal_the_missing_registry_is_a_usage_error(person: Person) -> None:
    with pytest.raises(ServerNeeded):
        prompts.target(settings(registry=Setting(kinds.PRIVATE, "--registry")), None)
    assert person.asked == []


def test_what_is_known_is_not_asked(person: Person) -> None:
    person.answers = ["unused"]
    prompts.target(settings(image=Setting(Name.parse("ghcr.io/acme/shop"), "--image")), None)
    assert person.asked == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2", "hunter2"),
        (b" a b \n", " a b "),
        (b"caf\xe9\n", "caf\udce9"),
    ],
)
def test_a_password_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, typed: bytes, expected: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
    given = read_given(prompts, options("--password-stdin", "--username", "me"), "")
    assert given.username == "me"
    assert given.password
    assert given.password.reveal() == expected


def test_a_password_of_the_command_line_is_taken(person: Person) -> None:
    given = read_given(prompts, options("--password", "hunter2"), "")
    assert given.password
    assert given.password.reveal() == "hunter2"
    assert person.asked == []


def test_no_password_is_none() -> None:
    assert read_given(prompts, options(), "").password is None


@pytest.mark.parametrize(("account", "text"), [("me", "Password for me"), ("", "Password")])
def test_an_empty_password_is_asked_for_unseen(person: Person, account: str, text: str) -> None:
    person.answers = ["hunter2"]
    given = read_given(prompts, options("--password", ""), account)
    assert given.password
    assert given.password.reveal() == "hunter2"
    assert (person.asked, person.hidden) == ([text], [True])


@pytest.mark.parametrize(
    ("arguments", "account", "text"),
    [
        (("--username", "me"), "", "Password for me at ghcr.io"),
        (("--username", "me"), "settings", "Password for me at ghcr.io"),
        ((), "settings", "Password for settings at ghcr.io"),
    ],
)
def test_an_empty_password_is_asked_for_when_the_registry_is_known(
    person: Person, arguments: tuple[str, ...], account: str, text: str
) -> None:
    person.answers = ["hunter2"]
    asked = options(*arguments, "--password", "")
    finder = CredentialFinder.of_command(prompts, asked, account, None, later=True)
    assert person.asked == []
    assert finder.has_one_password
    found = finder.find(Repository.of("ghcr.io", "a/b"))
    assert (found.credential, found.asked) == (None, ())
    typed = credential(prompts, asked.username, "ghcr.io", REFUSED, found.account)
    assert typed.password.reveal() == "hunter2"
    assert (person.asked, person.hidden) == ([text], [True])


def test_an_empty_password_without_a_terminal_is_a_usage_error(person: Person) -> None:
    for later in (True, False):
        with pytest.raises(UsageError, match="--password-stdin"):
            read_given(prompts, options("--password", ""), "", later=later)
    assert person.asked == []


def test_a_credential_that_a_registry_wants_is_asked_for(person: Person) -> None:
    person.answers = ["me", "hunter2"]
    found = credential(prompts, options().username, "ghcr.io", REFUSED)
    assert (found.username, found.password.reveal(), found.origin) == ("me", "hunter2", "prompt")
    assert person.hidden == [False, True]


def test_only_the_password_is_asked_for_where_the_username_is_known(person: Person) -> None:
    person.answers = ["hunter2"]
    assert (
        credential(prompts, options("--username", "me").username, "ghcr.io", REFUSED).username
        == "me"
    )
    assert person.asked == ["Password for me at ghcr.io"]


def test_without_a_terminal_the_refusal_stands(person: Person) -> None:
    with pytest.raises(AuthError) as caught:
        credential(prompts, options().username, "ghcr.io", REFUSED)
    assert caught.value is REFUSED
    assert person.asked == []


def test_building_is_offered_at_a_terminal_only(person: Person) -> None:
    assert not prompts.may_build()
    assert person.asked == []


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (["y"], True),
        ([" YES "], True),
        ([""], False),
        (["No"], False),
        (["what?", "y"], True),
        (["ja", "oui", "y"], True),
        (["ja", "oui", "da", "y"], False),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_is_asked_for_again(
    person: Person, capsys: pytest.CaptureFixture[str], answers: list[str], *, wanted: bool
) -> None:
    person.answers = answers
    wrong = sum(each in ("what?", "ja", "oui", "da") for each in answers)
    assert prompts.may_build() is wanted
    assert len(person.asked) <= 3
    assert capsys.readouterr().err.count("Answer y or n.") == wrong


PRIVATE = Setting(kinds.PRIVATE, "--registry")


@pytest.mark.parametrize("wrong", ["shop", "http://10.0.0.5:5000", "a b.example", "/", "x:y:z"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_wrong_registry_is_asked_for_again(
    person: Person, capsys: pytest.CaptureFixture[str], wrong: str, times: int
) -> None:
    person.answers = [wrong] * times + ["10.0.0.5:5000"]
    _, target = prompts.target(settings(registry=PRIVATE), None)
    assert str(target.references[0]) == "10.0.0.5:5000/shop:latest"
    assert len(person.asked) == times + 1
    assert len(capsys.readouterr().err.splitlines()) == times


@pytest.mark.parametrize("wrong", ["shop", "a b.example", ""])
def test_the_third_wrong_answer_is_an_error(person: Person, wrong: str) -> None:
    person.answers = [wrong] * 9
    with pytest.raises(UsageError):
        prompts.target(settings(registry=PRIVATE), None)
    assert len(person.asked) == 3


@pytest.mark.parametrize("ask", [prompts.line, prompts.hidden])
@pytest.mark.parametrize("empty", [0, 1, 2, 3])
def test_an_empty_answer_is_asked_for_again(
    person: Person, ask: Callable[[str], object], empty: int
) -> None:
    person.answers = [""] * empty + ["answer", "unused"]
    if empty < 3:
        found = ask("Password")
        assert (found.reveal() if isinstance(found, Secret) else found) == "answer"
    else:
        with pytest.raises(UsageError, match="Password: an answer is needed"):
            ask("Password")
    assert len(person.asked) == min(3, empty + 1)


def test_a_password_of_blanks_is_one(person: Person) -> None:
    person.answers = ["  "]
    assert prompts.hidden("Password").reveal() == "  "


@pytest.mark.parametrize("read", ["push", "login"])
def test_a_password_from_a_terminal_is_asked_for_unseen(
    person: Person, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    class AtTerminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", AtTerminal("shown\n"))
    person.answers = ["hunter2"]
    if read == "push":
        given = read_given(prompts, options("--password-stdin", "--username", "me"), "")
        assert given.password
        assert given.password.reveal() == "hunter2"
    else:
        assert prompts.piped() == "hunter2"
    assert person.hidden == [True]
    assert "--password-stdin" in person.asked[0]


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("--password", "--password ''"),
        ("shop:dev --password", "shop:dev --password ''"),
        ("--password --username me", "--password '' --username me"),
        ("--password --tag=v1", "--password '' --tag=v1"),
        ("--password -q shop", "--password '' -q shop"),
        ("--password --no-verify", "--password '' --no-verify"),
        ("--password -- shop", "--password '' -- shop"),
        ("--password --help", "--password '' --help"),
        ("--password hunter2 -q", "--password hunter2 -q"),
        ("--password -hunter2", "--password -hunter2"),
        ("--password --hunter2 --tag v1", "--password --hunter2 --tag v1"),
        ("--password=-x --tag v1", "--password=-x --tag v1"),
        ("-- --password", "-- --password"),
        ("shop", "shop"),
    ],
)
def test_a_password_without_a_value_is_an_empty_one(line: str, made: str) -> None:
    known = ("--username", "--tag", "-q", "--quiet", "--verify", "--no-verify", "--password")
    assert with_empty_password(shlex.split(line), known) == shlex.split(made)


@pytest.mark.parametrize(
    "line",
    [
        ("push", "shop:dev", "--image", "ghcr.io/acme/shop:1", "--password"),
        ("push", "shop:dev", "--password", "--image", "ghcr.io/acme/shop:1"),
        ("mirror", "shop.tar", "--password", "--to", "registry.example.com"),
        ("verify", "--password", "--deep", "receipt.json"),
    ],
)
def test_a_password_without_a_value_is_to_be_asked_for(
    run: Callable[..., Result], person: Person, project: Path, line: tuple[str, ...]
) -> None:
    (project / "shop.tar").touch()
    empty = {"receiptVersion": 1, "target": "h.example", "finished": None}
    lists: dict[str, object] = {"versions": {}, "bundles": {}, "images": [], "failures": []}
    (project / "receipt.json").write_text(json.dumps(empty | lists))
    error = run(*line).exception  # at a terminal it is asked for when a registry requires one
    assert isinstance(error, UsageError)
    assert error.what == "--password is empty, and there is no terminal to ask for it."
    assert person.asked == []


@pytest.mark.parametrize("value", ["x", "-x", "--x", "-"])
def test_a_password_with_a_value_is_taken(person: Person, value: str) -> None:
    for line in (("--password", value), (f"--password={value}",)):
        given = read_given(prompts, options(*line), "")
        assert given.password
        assert given.password.reveal() == value
    assert person.asked == []


@pytest.mark.parametrize(
    "default", ["\x1b]0;PWN\x07me", "me\nPassword for x:", "a\u202eb", "me\r\x1b[2K", "\x9b1A"]
)
def test_a_default_that_controls_the_terminal_is_not_offered(person: Person, default: str) -> None:
    person.answers.append("typed")
    assert prompts.line("Username", default) == "typed"
