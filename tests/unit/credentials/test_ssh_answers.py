"""Passwords for hosts: who is asked, how often, and for which hosts an answer counts."""

import os

import pytest

from dockless.credentials import passphrases
from dockless.credentials.passphrases import SshAnswers
from dockless.model.secret import Secret
from dockless.ssh.login import HostQuestion


class Person:
    """Somebody at a terminal, or nobody.

    Attributes:
        asked: What was asked.
    """

    def __init__(self, *answers: str, at_terminal: bool = True) -> None:
        self._answers = list(answers)
        self._at_terminal = at_terminal
        self.asked: list[str] = []

    def at_terminal(self) -> bool:
        return self._at_terminal

    def line(self, text: str, default: str = "") -> str:
        self.asked.append(text)
        return self._answers.pop(0) or default

    def hidden(self, text: str) -> Secret:
        self.asked.append(text)
        return Secret(self._answers.pop(0))

    def piped(self) -> str:
        return ""


def question(
    host: str,
    *,
    user: str = "me",
    method: str = "password",
    text: str = "Password",
    number: int = 0,
) -> HostQuestion:
    return HostQuestion(host=host, user=user, method=method, text=text, number=number)


@pytest.mark.parametrize(
    ("agrees", "answers", "asked"),
    [
        ("y", ["secret", "secret", "secret"], 2),
        ("n", ["secret", "second", "third"], 4),
        ("", ["secret", "second", "third"], 4),
    ],
)
def test_a_password_goes_to_other_hosts_only_when_that_is_allowed(
    agrees: str, answers: list[str], asked: int
) -> None:
    person = Person("secret", agrees, "second", "third")
    found = SshAnswers(person, os.environ)
    assert [found.answer(question(host)) for host in ("a", "b", "c")] == list(map(Secret, answers))
    assert len(person.asked) == asked
    assert person.asked[0] == "Password for me@a"
    assert "Use the password for me@a for b and other hosts" in person.asked[1]


@pytest.mark.parametrize(
    "other",
    [
        question("b", user="root"),
        question("b", text="me@b's Password"),
        question("b", text="Verification code"),
        question("a", number=1),
        question("a", method="keyboard-interactive"),
        question("b", method="keyboard-interactive"),
    ],
)
def test_another_user_or_prompt_is_asked_for_by_itself(other: HostQuestion) -> None:
    person = Person("secret", "another")
    found = SshAnswers(person, os.environ)
    found.answer(question("a"))
    assert found.answer(other) == Secret("another")


def test_a_further_connection_to_a_host_asks_nobody() -> None:
    person = Person("secret")
    found = SshAnswers(person, os.environ)
    assert found.answer(question("a")) == found.answer(question("a")) == Secret("secret")
    assert len(person.asked) == 1


def test_a_code_is_asked_for_each_time() -> None:
    person = Person("111", "222")
    found = SshAnswers(person, os.environ)
    code = question("a", text="Verification code")
    assert [found.answer(code), found.answer(code)] == [Secret("111"), Secret("222")]


def test_nobody_is_asked_without_a_terminal() -> None:
    person = Person(at_terminal=False)
    assert SshAnswers(person, os.environ).answer(question("a")) is None
    assert SshAnswers(person, os.environ).passphrase("/k") is None
    assert person.asked == []


def test_what_a_keyring_has_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        def get(self, scope: str, username: str) -> object:
            kept = {("ssh:me@a", "me"): "kept", ("ssh-key", "/k"): "locked"}
            text = kept.get((scope, username))
            return type("Login", (), {"password": Secret(text)}) if text else None

    monkeypatch.setattr(passphrases, "every_keyring_logins", lambda _: [Kept()])
    person = Person("typed", "typed")
    found = SshAnswers(person, os.environ)
    assert found.answer(question("a")) == Secret("kept")
    assert found.answer(question("a", number=1)) == Secret("typed")
    assert found.passphrase("/k") == Secret("locked")
    assert found.passphrase("/k") == Secret("typed")
