import errno
import importlib
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import pytest

from dockless import __version__
from dockless.cli.main import dockless, main
from dockless.errors import (
    AuthError,
    ConflictError,
    DocklessError,
    EngineError,
    NetworkError,
    PartialError,
    PushError,
    SourceError,
    UsageError,
)
from dockless.processes import stops
from dockless.report.help_texts import COMMANDS

Ends = Callable[..., int]


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    hook = sys.unraisablehook
    yield
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
        (PushError("It broke.", "Repair it."), 1),
        (UsageError("It broke.", "Repair it."), 2),
        (SourceError("It broke.", "Repair it."), 3),
        (AuthError("It broke.", "Repair it."), 4),
        (ConflictError("It broke.", "Repair it."), 5),
        (NetworkError("It broke.", "Repair it."), 6),
        (EngineError("It broke.", "Repair it."), 7),
        (PartialError("It broke.", "Repair it."), 8),
    ],
)
def test_an_error_says_what_happened_and_what_to_do_and_has_its_code(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    assert ends(error=error) == code
    assert capsys.readouterr() == ("", "Error: It broke.\nRepair it.\n")


def raised_while(error: Exception, other: Exception) -> Exception:
    other.__context__ = error
    return other


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
        (OSError(errno.EFBIG, "File too large"), "ulimit -f"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.ENFILE, "Too many open files in system"), "fs.file-max"),
        (MemoryError(), "memory"),
        (RuntimeError("can't allocate lock"), "memory"),
        (RuntimeError("can't allocate read lock"), "memory"),
        (ssl.SSLError("unknown error (_ssl.c:3063)"), "memory"),
        (ssl.SSLError(1, "[SSL] malloc failure (_ssl.c:3063)"), "memory"),
        (
            ssl.SSLError(1, "[SSL: NO_CIPHERS] library has no ciphers (_ssl.c:3)"),
            "memory",
        ),
        (ImportError("a.so: failed to map segment from shared object"), "memory"),
        (ImportError("libz.so.1: cannot map zero-fill pages: Cannot allocate memory"), "memory"),
        (
            raised_while(
                RuntimeError("can't start new thread"),
                RuntimeError("cannot join thread before it is started"),
            ),
            "ulimit -u",
        ),
    ],
)
def test_a_limit_of_the_system_is_no_bug(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: Exception, named: str
) -> None:
    assert ends(error=error) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: This process has reached a limit of the system: ")
    assert named in said


def instead(error: DocklessError, of: OSError) -> DocklessError:
    """Return an error that was raised in place of one of the system."""
    try:
        try:
            raise of
        except OSError:
            raise error from None
    except DocklessError as raised:
        return raised


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (instead(SourceError("x.tar cannot be read."), OSError(errno.EMFILE, "")), "ulimit -n"),
        (instead(EngineError("crane cannot be started."), OSError(errno.ENFILE, "")), "fs.file"),
        (instead(UsageError("The store cannot be used."), OSError(errno.ENOMEM, "")), "memory"),
        (instead(NetworkError("It does not respond."), OSError(errno.EMFILE, "")), "ulimit -n"),
    ],
)
def test_a_limit_of_the_system_is_not_taken_for_damage(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: DocklessError, named: str
) -> None:
    assert ends(error=error) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: This process has reached a limit of the system: ")
    assert named in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (instead(UsageError("Another run has it."), BlockingIOError(errno.EAGAIN, "")), 2),
        (instead(PushError("Too large: use --split."), OSError(errno.EFBIG, "")), 1),
        (instead(SourceError("x.tar is missing."), OSError(errno.ENOENT, "")), 3),
    ],
)
def test_what_says_more_than_the_limit_is_kept(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: DocklessError, code: int
) -> None:
    assert ends(error=error) == code
    assert error.what in capsys.readouterr().err


@pytest.mark.parametrize(
    "lacking", [OSError(errno.EMFILE, "Too many open files"), ImportError("x.so"), MemoryError()]
)
def test_an_end_that_cannot_be_told_in_full_is_told(
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lacking: Exception,
) -> None:
    def ending(_: BaseException) -> int:
        raise lacking

    monkeypatch.setattr("dockless.cli.main._ending", ending)
    assert ends(error=SourceError("x.tar is missing.")) == 1
    assert "reached a limit of the system" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.Abort(), 130, "Interrupted."),
        (stops.Terminated(), 143, "Terminated."),
        (stops.TimeIsOver(), 6, "Error: The command did not finish within --timeout."),
    ],
)
def test_an_interrupt_is_no_error_of_the_push(
    ends: Ends, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    assert ends(error=error) == code
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("name", [*COMMANDS])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "Interrupted."),
        (stops.Terminated(), "Terminated."),
        (stops.TimeIsOver(), "Error: The command did not finish within --timeout."),
    ],
)
def test_only_commands_that_move_tags_say_that_none_was_moved(
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    name: str,
    error: BaseException,
    said: str,
) -> None:
    def work() -> None:
        raise error

    command = click.Command(name, callback=work)
    monkeypatch.setattr(type(dockless), "get_command", lambda *_: command)
    ends(name)
    tags = " No tag was changed." if name in ("push", "mirror") else ""
    what, *remedy = capsys.readouterr().err.strip().splitlines()  # click begins a new line
    assert what == f"{said}{tags}"
    assert bool(remedy) == isinstance(error, stops.TimeIsOver)


@pytest.mark.parametrize("name", ["push", "doctor", "verify"])
def test_an_end_by_the_time_limit_is_a_document_in_json(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    def work(**_: object) -> None:
        raise stops.TimeIsOver

    command = click.Command(name, callback=work, params=[click.Option(["--format"])])
    monkeypatch.setattr(type(dockless), "get_command", lambda *_: command)
    assert ends(name, "--format", "json") == 6
    shown = json.loads(capsys.readouterr().out)["error"]
    assert shown["message"].startswith("The command did not finish within --timeout.")
    assert (shown["kind"], shown["exitCode"]) == ("network", 6)


@pytest.mark.parametrize("name", [*COMMANDS])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), stops.Terminated()])
def test_a_stop_while_a_command_is_imported_says_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    name: str,
    error: BaseException,
) -> None:
    def imported(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(dockless), "get_command", imported)
    ends(name)
    assert ("tag" in capsys.readouterr().err) == (name in ("push", "mirror"))


SIGNALS = pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "Interrupted."),
        (signal.SIGTERM, 143, "Terminated."),
        (signal.SIGHUP, 143, "Terminated."),
    ],
    ids=["int", "term", "hup"],
)


def raising(*numbers: signal.Signals) -> Callable[..., None]:
    """Return a command that gets the first signal, and the others while it is torn down."""

    def work(**_: object) -> None:
        first, *others = numbers
        try:
            signal.raise_signal(first)
        finally:
            for number in others:
                signal.raise_signal(number)

    return work


@SIGNALS
@pytest.mark.parametrize("again", [(), (signal.SIGHUP,), (signal.SIGTERM,), (signal.SIGINT,)])
def test_a_signal_is_torn_down_once_and_says_which(
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    code: int,
    said: str,
    again: tuple[signal.Signals, ...],
) -> None:
    monkeypatch.setattr(stops, "_SAME_SECONDS", 3600.0)
    monkeypatch.setattr(dockless, "main", raising(number, *again))
    assert ends() == code
    assert capsys.readouterr().err.startswith(said)


def test_a_second_ctrl_c_that_comes_later_breaks_the_teardown_off(
    monkeypatch: pytest.MonkeyPatch, ends: Ends
) -> None:
    monkeypatch.setattr(stops, "_SAME_SECONDS", 0.0)
    broken = []

    def work(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            try:
                signal.raise_signal(signal.SIGINT)
            except stops.Interrupted:
                broken.append(True)

    monkeypatch.setattr(dockless, "main", work)
    ends()
    assert broken


@SIGNALS
def test_a_signal_that_was_ignored_from_the_start_stays_so(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, number: signal.Signals, code: int, said: str
) -> None:
    del code, said
    before = signal.signal(number, signal.SIG_IGN)
    try:
        monkeypatch.setattr(dockless, "main", raising(number))
        assert ends() == 0
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("hidden", [ImportError, ValueError, OSError, PushError])
def test_a_signal_that_a_library_turned_into_another_error_is_still_the_reason(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, hidden: type[Exception]
) -> None:
    def work(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except stops.Interrupted:
            raise hidden("it cannot be loaded") from None

    monkeypatch.setattr(dockless, "main", work)
    assert ends() == 130


def test_what_does_not_end_is_ended_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, ends: Ends
) -> None:
    def work(**_: object) -> None:
        stops.end_by(time.monotonic())
        time.sleep(60)

    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(stops, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(dockless, "main", work)
    assert ends() == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "a.tar", "--image", "r.example/a:1"),
        ("push", "--remote", "--host", "h.example", "--image", "r.example/a:1"),
        ("push", "a.tar", "--all", "--to", "r.example"),
        ("mirror", "a.tar", "--to", "r.example"),
        ("doctor", "r.example"),
    ],
)
def test_a_password_that_never_comes_ends_with_the_limit_of_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: Ends, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tar").touch()
    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.05)
    reading, writing = os.pipe()  # which stays open, so that the reader waits
    try:
        with os.fdopen(reading) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            said = ends(*arguments, "--username", "u", "--password-stdin", "--timeout", "0.1")
    finally:
        os.close(writing)
    assert said == 6


@pytest.mark.parametrize(
    "arguments", [("push", "a.tar"), ("push",), ("push", "a.tar", "--explain")]
)
def test_a_secret_command_that_does_not_end_is_ended_with_the_limit_of_time(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    ends: Ends,
    arguments: tuple[str, ...],
) -> None:
    for name, text in (
        ("config/deploy.yml", "service: a\nimage: a\nregistry: {server: r.example, username: [U]}"),
        (".kamal/secrets", "U=$(exec sleep 20)"),
        ("a.tar", ""),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERSION", "1")
    assert ends(*arguments, "--allow-secret-commands", "--timeout", "0.1") == 6
    said = "The command for the secret U of .kamal/secrets did not finish within --timeout."
    assert said in capsys.readouterr().err


def test_what_waits_for_the_user_has_no_grace(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    def work(**_: object) -> None:
        stops.end_by(time.monotonic())
        with stops.without_grace():
            time.sleep(60)

    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(stops, "_GRACE_SECONDS", 3600.0)
    monkeypatch.setattr(dockless, "main", work)
    assert ends() == 6


def test_the_signals_are_left_to_whoever_had_them(ends: Ends) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    ends("--version")
    after = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before


class _Gone:
    """A stderr of which the other end is gone."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, _: str) -> int:
        raise OSError(self._number, os.strerror(self._number))

    def flush(self) -> None:
        """Do nothing."""

    def fileno(self) -> int:
        return self.file

    file = -1


@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE, errno.ENOSPC])
def test_a_terminal_that_is_gone_changes_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, tmp_path: Path, number: int
) -> None:
    gone = _Gone(number)
    with (tmp_path / "file").open("w") as file:
        gone.file = file.fileno()
        monkeypatch.setattr(sys, "stderr", gone)
        monkeypatch.setattr(dockless, "main", raising(signal.SIGHUP))
        assert ends() == 143


def test_a_bug_of_ours_is_logged_and_shows_no_traceback(
    ends: Ends, capsys: pytest.CaptureFixture[str], empty_home: Path
) -> None:
    assert ends(error=ZeroDivisionError("by zero")) == 70
    said = capsys.readouterr().err
    assert "Internal error in dockless: ZeroDivisionError: by zero" in said
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
    assert err.startswith("Error: ")
    assert "--help`." in err


def test_the_version_is_shown(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends("--version") == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command_and_every_exit_code(
    ends: Ends, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert ends(option) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert all(f"{code} " in shown for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 70, 130, 143))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_help_has_examples(
    ends: Ends, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert ends(*command.split(), "--help") == 0
    assert "Examples:\n    dockless " in capsys.readouterr().out


class _LastWords:
    """What a signal meets when it goes."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)


def _in_a_finalizer(number: signal.Signals) -> None:
    _LastWords(number)
    time.sleep(30)


def _in_a_flush(number: signal.Signals) -> None:
    class Screen(io.StringIO):
        def flush(self) -> None:
            signal.raise_signal(number)

    reading, _writing = os.pipe()
    with open(reading) as answer, pytest.MonkeyPatch.context() as patched:  # noqa: PTH123 - a pipe
        patched.setattr(sys, "stdin", answer)
        patched.setattr(sys, "stdout", Screen())
        input("Username: ")  # clears every error of that flush


@pytest.mark.parametrize(
    ("swallow", "number", "code"),
    [(_in_a_finalizer, signal.SIGINT, 130), (_in_a_flush, signal.SIGTERM, 143)],
)
def test_a_signal_that_is_swallowed_is_raised_again(
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    swallow: Callable[[signal.Signals], None],
    number: signal.Signals,
    code: int,
) -> None:
    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(stops, "_SAME_SECONDS", 0.0)
    monkeypatch.setattr(dockless, "main", lambda **_: swallow(number))
    assert ends() == code


def test_a_teardown_is_not_stopped_again(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    done = []

    def work(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            for _look in range(10):
                time.sleep(0.05)
            done.append(True)

    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(stops, "_SAME_SECONDS", 0.0)
    monkeypatch.setattr(dockless, "main", work)
    assert ends() == 143
    assert done


def _lock_that_nobody_releases() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def _pipe_that_nobody_writes_to() -> None:
    reading, writing = os.pipe()
    try:
        os.read(reading, 1)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    "wait", [_lock_that_nobody_releases, _pipe_that_nobody_writes_to, partial(time.sleep, 60)]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, None])
def test_a_teardown_that_never_ends_is_broken_off_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    wait: Callable[[], None],
    number: signal.Signals | None,
) -> None:
    done = []

    def work(**_: object) -> None:
        try:
            try:
                if number:
                    signal.raise_signal(number)
                else:
                    stops.end_by(time.monotonic())
                    time.sleep(60)
            finally:
                wait()
        finally:
            done.append(True)

    monkeypatch.setattr(stops, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(stops, "_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(stops, "_TEARDOWN_SECONDS", 0.2)
    monkeypatch.setattr(dockless, "main", work)
    assert ends() == {signal.SIGINT: 130, signal.SIGTERM: 143, None: 6}[number]
    assert done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("depth", [1, 3])
def test_a_signal_within_an_import_ends_the_command_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: Ends, number: signal.Signals, depth: int
) -> None:
    names = [f"slow_{number.name.lower()}_{depth}_{each}" for each in range(depth)]
    raises = f"import signal\nsignal.raise_signal({int(number)})\n"
    for name, inner in zip(names, [*names[1:], None], strict=True):
        first = f"import {inner}\n" if inner else raises
        (tmp_path / f"{name}.py").write_text(f"{first}ready = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    after = []

    def work(**_: object) -> None:
        assert importlib.import_module(names[0]).ready
        time.sleep(60)
        after.append(True)

    monkeypatch.setattr(dockless, "main", work)
    assert ends() == (130 if number == signal.SIGINT else 143)
    assert all(sys.modules[name].ready for name in names)
    assert not after


@pytest.mark.parametrize(
    "lock", ["logging._lock", "concurrent.futures.thread._global_shutdown_lock"]
)
@pytest.mark.parametrize("code", [0, 3, 143])
def test_a_lock_that_a_thread_left_behind_holds_does_not_keep_the_process(
    lock: str, code: int
) -> None:
    module, name = lock.rsplit(".", 1)
    program = f"""
import importlib, logging, sys, threading, time
from types import SimpleNamespace
import dockless.__main__ as program

def hold():
    with importlib.import_module({module!r}).{name}:
        held.set()
        time.sleep(600)

def main():
    logging.StreamHandler()  # which is closed at the end
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    print("said")
    sys.exit({code})

held = threading.Event()
sys.modules["dockless.cli.main"] = SimpleNamespace(main=main)
program.main()
"""
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (code, "said\n", "")


_LAST_STEPS = """
import signal, sys
from types import SimpleNamespace
import dockless.__main__ as program
from dockless.processes.ending import at_end

@at_end
def fail():
    raise OSError

@at_end
def step():
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(each)
    print("done", flush=True)

def main():
    {ends}

sys.modules["dockless.cli.main"] = SimpleNamespace(main=main)
program.main()
"""


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(8)", 8),
        ("raise KeyboardInterrupt", 130),
        ("signal.raise_signal(signal.SIGTERM)", 143),
        ("signal.raise_signal(signal.SIGINT)", 130),
    ],
)
def test_a_signal_does_not_break_the_last_steps_off(ends: str, code: int) -> None:
    argv = [sys.executable, "-c", _LAST_STEPS.format(ends=ends)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (code, "done\n", "")


def test_a_signal_while_the_handlers_are_set_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, ends: Ends, capsys: pytest.CaptureFixture[str]
) -> None:
    def setitimer(which: int, seconds: float, interval: float = 0.0) -> None:
        del which, interval
        if seconds:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(signal, "setitimer", setitimer)
    assert ends() == 143
    assert capsys.readouterr().err.startswith("Terminated")
