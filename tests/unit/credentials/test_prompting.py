"""Prompts, and what happens where none is possible."""

from collections.abc import Callable

import pytest

from dockless.credentials.prompting import NOBODY, hidden_prompt, refuse_to_ask, until_accepted
from dockless.errors import AuthError, UsageError, WrongAnswerError
from dockless.model.secret import Credential, Secret


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


def _typed(*passwords: str) -> Callable[[], Credential]:
    left = iter(passwords)
    return lambda: Credential(username="me", password=Secret(next(left)))


def _only_right(credential: Credential) -> str:
    if credential.password.reveal() != "right":
        raise AuthError(f"It rejects {credential.username}.", "Check it.")
    return "in"


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_credential_is_asked_for_until_it_is_accepted(wrong: int) -> None:
    told: list[str] = []
    ask = _typed(*["wrong"] * wrong, "right", "another")
    assert until_accepted(ask, _only_right, told.append) == "in"
    assert told == ["It rejects me."] * wrong


def test_the_last_credential_that_is_rejected_is_the_error() -> None:
    told: list[str] = []
    with pytest.raises(WrongAnswerError, match="It rejects") as caught:
        until_accepted(_typed("a", "b", "c"), _only_right, told.append)
    assert (len(told), caught.value.remedy) == (2, "Check it.")


def test_what_cannot_be_asked_is_not_a_wrong_answer() -> None:
    def ask() -> Credential:
        raise AuthError("It wants a login.")

    with pytest.raises(AuthError, match="wants a login") as caught:
        until_accepted(ask, _only_right, pytest.fail)
    assert not isinstance(caught.value, WrongAnswerError)
