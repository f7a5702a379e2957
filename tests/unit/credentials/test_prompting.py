"""Prompts, and what happens where none is possible."""

import pytest

from dockless.credentials.prompting import NOBODY, hidden_prompt, refuse_to_ask
from dockless.errors import AuthError, UsageError
from dockless.model.secret import Secret


class Somebody:
    """A user who may be at a terminal."""

    def __init__(self, *, there: bool) -> None:
        self._there = there

    def at_terminal(self) -> bool:
        return self._there

    def line(self, text: str, default: str = "") -> str:
        return default or text

    def hidden(self, text: str) -> Secret:
        return Secret(f"answer to {text}")

    def piped(self) -> str:
        return ""


@pytest.mark.parametrize("there", [True, False])
def test_a_password_is_asked_for_at_a_terminal_only(*, there: bool) -> None:
    prompt = hidden_prompt(Somebody(there=there))
    assert (prompt is not None) == there
    if prompt:
        assert prompt("Password").reveal() == "answer to Password"


def test_a_refusal_is_raised_where_no_prompt_is_possible() -> None:
    refused = AuthError("It wants a login.")
    with pytest.raises(AuthError) as caught:
        refuse_to_ask("registry.example.com", refused)
    assert caught.value is refused


def test_the_library_asks_nobody() -> None:
    assert hidden_prompt(NOBODY) is None
    assert NOBODY.piped() == ""
    for ask in (NOBODY.line, NOBODY.hidden):
        with pytest.raises(UsageError, match="Registry is needed"):
            ask("Registry")
