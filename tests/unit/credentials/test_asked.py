"""What is asked for again after a wrong answer, and how often."""

import os

import pytest

from dockless.credentials import keyrings
from dockless.credentials.prompting import NoAnswerError, asked
from dockless.errors import AuthError, UsageError
from dockless.model.secret import Secret
from dockless.sources.opener import standard_input


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_a_wrong_answer_is_asked_for_again(wrong: int) -> None:
    answers, told = [f"wrong {n}" for n in range(wrong)] + ["right"], list[str]()

    def ask() -> str:
        answer = answers.pop(0)
        if answer != "right":
            raise UsageError(f"{answer} is wrong.", "Type another one.")
        return answer

    if wrong < 3:
        assert asked(ask, told.append, UsageError) == "right"
    else:
        with pytest.raises(UsageError, match="wrong 2"):
            asked(ask, told.append, UsageError)
    assert told == [f"wrong {n} is wrong." for n in range(min(wrong, 2))]


@pytest.mark.parametrize("error", [NoAnswerError("Nothing."), AuthError("No.")])
def test_what_is_no_wrong_answer_ends_it(error: Exception) -> None:
    tries: list[None] = []

    def ask() -> str:
        tries.append(None)
        raise error

    with pytest.raises(type(error)):
        asked(ask, print, UsageError)
    assert len(tries) == 1


class EncryptedFile:
    """A keyring in a file that takes one password."""

    file_path = "/nonexistent"

    def __setattr__(self, name: str, value: object) -> None:
        assert name == "keyring_key"
        if value != "right":
            raise ValueError("Incorrect Password")


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_the_password_of_an_encrypted_file_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    monkeypatch.setattr(keyrings, "_safe_class", lambda _: EncryptedFile)
    answers, texts = ["wrong"] * wrong + ["right"], list[str]()

    def ask(text: str) -> Secret:
        texts.append(text)
        return Secret(answers.pop(0))

    if wrong < 3:
        keyrings.backend("file", {}, None, ask)
    else:
        with pytest.raises(AuthError, match="not the password"):
            keyrings.backend("file", {}, None, ask)
    assert len(texts) == min(wrong + 1, 3)
    assert all("not its password" in each for each in texts[1:])


def test_who_reads_an_archive_from_a_terminal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(os, "isatty", lambda number: number == 0)
    standard_input(told.append).close()
    assert "standard input" in told[0]
    assert "Ctrl-C" in told[0]
    monkeypatch.setattr(os, "isatty", lambda _: False)
    standard_input(told.append).close()
    assert len(told) == 1
