"""Prompts for what a login needs; without a terminal, what is missing is an error."""

from collections.abc import Callable
from typing import Protocol

from dockless.errors import AuthError, UsageError
from dockless.model.secret import Credential, Secret


class Prompter(Protocol):
    """Asks the user; the command line's is `cli.prompts`."""

    def at_terminal(self) -> bool:
        """Whether a prompt is possible."""

    def line(self, text: str, default: str = "") -> str:
        """Ask for one line; an empty answer takes the default, if there is one."""

    def hidden(self, text: str) -> Secret:
        """Ask for a secret, which is not shown."""

    def piped(self) -> str:
        """Return standard input."""


AskCredential = Callable[[str, AuthError], Credential]
"""Asks for the credential of a host that requires one; raises its refusal where it cannot ask."""


def refuse_to_ask(host: str, refused: AuthError) -> Credential:
    """Raise the refusal of a host, since no prompt is possible."""
    del host
    raise refused


def hidden_prompt(prompter: Prompter) -> Callable[[str], Secret] | None:
    """Return what asks for the password of an encrypted file; None without a terminal."""
    return prompter.hidden if prompter.at_terminal() else None


class _Nobody:
    """Nobody, as a `Prompter`: there is no terminal."""

    def at_terminal(self) -> bool:
        """Return that there is nobody to ask."""
        return False

    def line(self, text: str, default: str = "") -> str:
        """Raise UsageError."""
        del default
        raise UsageError(f"{text} is needed, and nobody can be asked.", "Give it as an argument.")

    def hidden(self, text: str) -> Secret:
        """Raise UsageError."""
        raise UsageError(f"{text} is needed, and nobody can be asked.", "Give it as an argument.")

    def piped(self) -> str:
        """Return nothing."""
        return ""


NOBODY = _Nobody()
"""The prompter of the library, which asks nobody."""
