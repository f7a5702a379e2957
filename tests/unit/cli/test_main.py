import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from dockless import __version__
from dockless.cli import main as main_module
from dockless.cli.main import _COMMANDS, _ending, _Terminated, dockless, main
from dockless.model.errors import (
    AuthError,
    ConflictError,
    EngineError,
    NetworkError,
    PartialError,
    PushError,
    SourceError,
    UsageError,
)

Ends = Callable[..., int]


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    before, hook = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    yield
    signal.signal(signal.SIGTERM, before)
    sys.unraisablehook = hook


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Ends:
    """Run the command line, its command ending in an error if one is given; return the code."""

    def run(*arguments: str, error: BaseException | None = None) -> int:
        def fail(**_: object) -> None:
            if error:
                raise error

        monkeypatch.setattr(sys, "argv", ["dockless", *arguments])
        if error:
            monkeypatch.setattr(dockless, "main", fail)
        with pytest.raises(SystemExit) as caught:
            main()
        assert isinstance(caught.value.code, int)
        return caught.value.code

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PushError("It broke.", "Mend it."), 1),
        (UsageError("It broke.", "Mend it."), 2),
        (SourceError("It broke.", "Mend it."), 3),
        (AuthError("It broke.", "Mend it."), 4),
        (ConflictError("It broke.", "Mend it."), 5),
        (NetworkError("It broke.", "Mend it."), 6),
        (EngineError("It broke.", "Mend it."), 7),
        (PartialError("It broke.", "Mend it."), 8),
    ],
)
def test_an_error_says_what_happened_and_what_to_do_and_has_its_code(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    assert ends(error=error) == code
    assert capsys.readouterr() == ("", "Error: It broke.\nMend it.\n")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted. "),
        (click.Abort(), 130, "Interrupted. "),
        (_Terminated(), 143, "Terminated. "),
    ],
)
def test_an_interrupt_is_no_error_of_the_push(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    assert ends(error=error) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_request_to_terminate_tears_down_as_an_interrupt_does(ends: Ends) -> None:
    ends("--version")
    with pytest.raises(_Terminated):
        signal.raise_signal(signal.SIGTERM)


def test_a_bug_of_ours_is_logged_and_shows_no_traceback(
    ends: Ends, capsys: pytest.CaptureFixture[str], empty_home: Path
) -> None:
    assert ends(error=ZeroDivisionError("by zero")) == 70
    said = capsys.readouterr().err
    assert "Error: this is a bug in dockless: ZeroDivisionError: by zero" in said
    assert "Traceback" not in said
    (log,) = empty_home.rglob("bug-*.log")
    assert str(log) in said
    assert "Traceback" in log.read_text()


def test_a_bug_is_told_where_no_log_can_be_written(
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    empty_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (empty_home / "file").touch()
    monkeypatch.setenv("HOME", str(empty_home / "file"))
    assert ends(error=ZeroDivisionError("by zero")) == 70
    assert "ZeroDivisionError: by zero" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("pull",), ("push", "--no-such-option"), ("push", "--retries", "many"), ("push", "a", "b")],
)
def test_a_command_line_that_click_refuses_is_a_usage_error(
    ends: Ends, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert ends(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage: " in err


def test_the_version_is_shown(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends("--version") == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command_and_every_exit_code(
    ends: Ends, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert ends(option) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in _COMMANDS)
    assert all(f"{code} " in shown for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 70, 130, 143))


@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_every_help_has_examples(
    ends: Ends, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert ends(*command.split(), "--help") == 0
    assert "Examples:\n    dockless " in capsys.readouterr().out


def test_an_interrupt_that_python_wrapped_is_an_interrupt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrapped = RuntimeError("Error calling __set_name__")
    wrapped.__cause__ = KeyboardInterrupt()
    assert _ending(wrapped) == 130
    assert "Interrupted." in capsys.readouterr().err


class _LastWords:
    """What a signal meets when it goes."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_meets_a_finalizer_ends_the_command_all_the_same(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, number: int, code: int
) -> None:
    def work(**_: object) -> None:
        _LastWords(number)
        time.sleep(30)

    monkeypatch.setattr(main_module, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(dockless, "main", work)
    assert ends() == code
