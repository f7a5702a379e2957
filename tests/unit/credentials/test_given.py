"""What the options of a command line give, and where it came from in messages."""

import pytest

from dockless.credentials.given import read_given
from dockless.model.options import CommandOptions
from dockless.model.secret import Credential, Secret


class Typist:
    """Somebody at a terminal, whose standard input has a password, too."""

    def at_terminal(self) -> bool:
        return True

    def hidden(self, text: str) -> Secret:
        assert text
        return Secret("typed")

    def line(self, text: str, default: str = "") -> str:
        return text or default

    def piped(self) -> str:
        return "piped\n"


@pytest.mark.parametrize(
    ("options", "password", "origin", "source"),
    [
        (CommandOptions(password_stdin=True), "piped", "standard input", "standard input"),
        (CommandOptions(password=Secret("x")), "x", "command line", "the command line"),
        (CommandOptions(password=Secret("")), "typed", "prompt", "the prompt"),
        (CommandOptions(), None, "command line", "the command line"),
    ],
)
def test_a_password_says_where_it_came_from(
    options: CommandOptions, password: str | None, origin: str, source: str
) -> None:
    given = read_given(Typist(), options, "me")
    assert (given.password.reveal() if given.password else None) == password
    assert given.origin == origin
    assert Credential(username="me", password=Secret("x"), origin=origin).source == source
