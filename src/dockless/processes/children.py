"""The programs that are running: at the end of this process they are ended, too.

A thread that waits for a program is not waited for at the end of a command, as after `--timeout`:
the program would outlive it.
"""

import atexit
import contextlib
import errno
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Any

_LOCK_SECONDS = 5.0
_END_SECONDS = 2.0

_guard = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_over = threading.Event()


@contextlib.contextmanager
def child(argv: Sequence[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ANN401 - as Popen takes them
    """Start a program, and wait for its end when the block is left.

    Args:
        argv: The program and its arguments.
        how: Further arguments of `subprocess.Popen`.

    Raises:
        OSError: It cannot be started, or this process is ending.
        ValueError: An argument is not valid text.
    """
    with _guard:
        if _over.is_set():
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        started = subprocess.Popen(argv, **how)
        _running.add(started)
    try:
        with started:
            yield started
    finally:
        with _guard:
            _running.discard(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    """Kill a program, and what it started where it has a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of what has ended
        if os.getpgid(started.pid) == started.pid:
            os.killpg(started.pid, signal.SIGKILL)
    started.kill()


def end(started: subprocess.Popen[bytes]) -> None:
    """Have a program end: ask for it, and kill it when it does not within two seconds.

    One that is stopped heeds no request before it goes on.
    """
    if started.poll() is not None:
        return
    started.terminate()
    started.send_signal(signal.SIGCONT)
    try:
        started.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        kill(started)


def end_group(started: subprocess.Popen[bytes]) -> None:
    """Do the same with a program that leads a process group, and with all of its group."""
    for number in (signal.SIGTERM, signal.SIGCONT):
        _signal_group(started, number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.wait(timeout=_END_SECONDS)
    _signal_group(started, signal.SIGKILL)


def _signal_group(started: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of what has ended
        os.killpg(started.pid, number)


@atexit.register
def _end_all() -> None:
    held = _guard.acquire(timeout=_LOCK_SECONDS)
    _over.set()
    try:
        for each in tuple(_running):
            if each.returncode is None:
                kill(each)
    finally:
        if held:
            _guard.release()
