"""Prompts for what a login needs; without a terminal, what is missing is an error."""

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from typing import Protocol, TypeVar

from dockless.errors import AuthError, DocklessError, UsageError, WrongAnswerError
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


TRIES = 3
"""How often one thing is asked for before a wrong answer is an error."""

T = TypeVar("T")


class NoAnswerError(UsageError):
    """Nothing was typed at a prompt."""


def asked(ask: Callable[[], T], tell: Callable[[str], object], wrong: type[DocklessError]) -> T:
    """Return an answer that is right; a wrong one is asked for again, at most three times in all.

    Args:
        ask: Asks, and raises `wrong` for a wrong answer.
        tell: Called with what is wrong with an answer, before the next question.
        wrong: The error of a wrong answer.
    """
    for _ in range(TRIES - 1):
        try:
            return ask()
        except wrong as error:
            if isinstance(error, NoAnswerError) and wrong is not NoAnswerError:
                raise  # that was asked for often enough
            tell(error.what)
    return ask()


def until_accepted(
    ask: Callable[[], Credential],
    accept: Callable[[Credential], T],
    tell: Callable[[str], object],
) -> T:
    """Return what `accept` makes of the first credential that is accepted, of a few that are asked.

    Args:
        ask: Asks for one; raises why that cannot be done.
        accept: Tries it; raises AuthError where it is rejected.
        tell: Called with why one was rejected, before the next question.

    Raises:
        WrongAnswerError: The last one was rejected, too.
    """

    def once() -> T:
        typed = ask()
        try:
            return accept(typed)
        except AuthError as error:
            raise WrongAnswerError(error.what, error.remedy) from None

    return asked(once, tell, WrongAnswerError)


def with_empty_password(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Return a command line in which a `--password` without a value has an empty one.

    It has none at the end, and where one of the command's options follows: what only begins like
    one may be the password.
    """
    found = list(takewhile(lambda each: each != "--", arguments))
    rest = [*arguments[len(found) :]]
    made: list[str] = []
    taken = False
    for position, each in enumerate(found):
        made.append(each)
        following = found[position + 1].partition("=")[0] if position + 1 < len(found) else "--"
        is_option = each == "--password" and not taken
        taken = is_option and following not in (*options, "-h", "--help", "--")
        if is_option and not taken:
            made.append("")
    return [*made, *rest]


AskCredential = Callable[[str, AuthError, str], Credential]
"""Asks for the credential of a host that requires one; raises its refusal where it cannot ask.

Its arguments are the host, the refusal, and whose password it is; empty to ask for that, too.
"""


def refuse_to_ask(host: str, refused: AuthError, username: str = "") -> Credential:
    """Raise the refusal of a host, since no prompt is possible."""
    del host, username
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
