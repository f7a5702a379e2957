"""What SSH needs from its user: passphrases of keys, passwords, and answers to what hosts ask for.

Each comes from the keyring, or is prompted for at a terminal. A password goes to other hosts only
when its user agrees.
"""

import threading
from collections.abc import Mapping
from typing import Protocol

from dockless.credentials.prompting import Prompter
from dockless.credentials.user_keyrings import every_keyring_logins
from dockless.errors import DocklessError
from dockless.model.printable import one_line
from dockless.model.secret import Secret

_KEYS = "ssh-key"
_Asks = tuple[str, str, str]


class SshQuestion(Protocol):
    """What a host asks for; see `ssh.login.HostQuestion`."""

    @property
    def host(self) -> str:
        """The host."""

    @property
    def user(self) -> str:
        """The account there."""

    @property
    def method(self) -> str:
        """The method that it is asked with."""

    @property
    def text(self) -> str:
        """Its own words."""

    @property
    def before(self) -> str:
        """What it said before that."""

    @property
    def is_shown(self) -> bool:
        """Whether the answer may be shown while it is typed."""

    @property
    def is_whole(self) -> bool:
        """Whether the words are a question by themselves."""

    @property
    def number(self) -> int:
        """How many answers to it were wrong."""


class SshAnswers:
    """Answers for all hosts, one prompt at a time.

    Args:
        prompter: Asks for what no keyring has.
        environment: Names the keyring.
    """

    def __init__(self, prompter: Prompter, environment: Mapping[str, str]) -> None:
        self._prompter = prompter
        self._environment = environment
        self._asking = threading.Lock()
        self._given: set[str] = set()
        self._typed: dict[_Asks, tuple[str, Secret]] = {}
        self._shared: dict[_Asks, bool] = {}

    def passphrase(self, key: str) -> Secret | None:
        """Return the passphrase of a key, or None when it is not available.

        Args:
            key: Its file, or the secret of the project that holds it.
        """
        with self._asking:
            kept = None if key in self._given else self._kept(_KEYS, key)
            if kept:
                self._given.add(key)  # asked for again, it is the wrong one
                return kept
            if not self._prompter.at_terminal():
                return None
            return self._prompter.hidden(f"Passphrase for {key}")

    def answer(self, question: SshQuestion) -> Secret | None:
        """Return the answer to what a host asks for, or None when it is not available."""
        with self._asking:
            is_password = "password" in question.text.lower() and not question.is_shown
            if is_password and not question.number:
                scope = f"ssh:{question.user}@{question.host}"
                known = self._kept(scope, question.user) or self._typed_before(question)
                if known:
                    return known
            if not self._prompter.at_terminal():
                return None
            return self._asked(question)

    def _asked(self, question: SshQuestion) -> Secret:
        if question.is_whole:
            return Secret(self._prompter.line(one_line(question.text)))
        text = f"{question.before} {question.text} for {question.user}@{question.host}"
        text = one_line(text).strip()
        if question.number:
            text = f"That was not accepted. {text}"
        if question.is_shown:
            return Secret(self._prompter.line(text))
        typed = self._prompter.hidden(text)
        self._typed[_asks(question)] = (question.host, typed)
        return typed

    def _typed_before(self, question: SshQuestion) -> Secret | None:
        """Return what was typed for a host that asks the same: for another one, if allowed."""
        asks = _asks(question)
        if asks not in self._typed:
            return None
        host, typed = self._typed[asks]
        if host == question.host:  # a further connection to it
            return typed
        if asks not in self._shared:
            said = self._prompter.line(
                f"Use the password for {question.user}@{host} for {question.host} and other hosts, "
                "too? [y/N]",
                "n",
            )
            self._shared[asks] = said.strip().lower() in ("y", "yes")
        return typed if self._shared[asks] else None

    def _kept(self, scope: str, username: str) -> Secret | None:
        for keyring_logins in every_keyring_logins(self._environment):
            try:
                kept = keyring_logins.get(scope, username)
            except DocklessError:
                continue
            if kept:
                return kept.password
        return None


def _asks(question: SshQuestion) -> _Asks:
    """Return what has to be the same for an answer to count twice."""
    return question.user, question.method, question.text
