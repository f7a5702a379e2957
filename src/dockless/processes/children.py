"""The programs that are running: at the end of this process they are ended, too.

A thread that waits for a program is not waited for at the end of a command, as after `--timeout`:
the program would outlive it.
"""

import contextlib
import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dockless.processes.descendants import Descendants
from dockless.processes.ending import at_end

_DOCKER_LOGINS = ("DOCKER_AUTH_CONFIG",)
_LOCK_SECONDS = 5.0
_END_SECONDS = 2.0

_guard = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_over = threading.Event()


def child_environment(environment: Mapping[str, str], program: str) -> dict[str, str]:
    """Return an environment for a program: ours without dockless's own settings and secrets.

    Docker alone gets the logins that are docker's own setting, with which it pulls base images.
    """
    left_out = () if program == "docker" else _DOCKER_LOGINS
    return {
        key: value
        for key, value in environment.items()
        if not key.startswith("DOCKLESS_") and key not in left_out
    }


@contextlib.contextmanager
def child(
    argv: Sequence[str],
    environment: Mapping[str, str],
    **how: Any,  # noqa: ANN401 - as Popen takes them
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and wait for its end when the block is left.

    Args:
        argv: The program and its arguments.
        environment: The caller's environment; see `child_environment`.
        how: Further arguments of `subprocess.Popen`.

    Raises:
        OSError: It cannot be started, or this process is ending.
        ValueError: An argument is not valid text.
    """
    with _guard:
        if _over.is_set():
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        started = subprocess.Popen(argv, env=child_environment(environment, argv[0]), **how)
        _running.add(started)
    try:
        with started:
            yield started
    finally:
        with _guard:
            if started.returncode is not None:  # or a second Ctrl-C broke its end off
                _running.discard(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    """Kill a program, what it started, and its process group where it has one of its own."""
    if started.returncode is not None:
        return
    leads = _leads(started)
    started.send_signal(signal.SIGSTOP)  # a script that goes on would start the next program
    with Descendants(started.pid) as below:
        below.kill()
    if leads:
        _signal_group(started, signal.SIGKILL)
    started.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):  # after an interrupt, Popen does not
        started.wait(timeout=_END_SECONDS)


def end(started: subprocess.Popen[bytes]) -> None:
    """Have a program end, with what it started: ask for it, and kill what does not in two seconds.

    One that is stopped heeds no request before it goes on.
    """
    if started.returncode is not None:
        return
    leads, until = _leads(started), time.monotonic() + _END_SECONDS
    with Descendants(started.pid) as below:
        for number in (signal.SIGTERM, signal.SIGCONT):
            if leads:
                _signal_group(started, number)
            else:
                started.send_signal(number)
            below.signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=_END_SECONDS)
        below.wait(max(0.0, until - time.monotonic()))
        kill(started)
        below.kill()
    if leads:
        _signal_group(started, signal.SIGKILL)


def _leads(started: subprocess.Popen[bytes]) -> bool:
    """Whether a program that was not waited for leads a process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of what has ended
        return os.getpgid(started.pid) == started.pid
    return False


def _signal_group(started: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of what has ended
        os.killpg(started.pid, number)


@at_end
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
