"""The end of this process: the last steps, and an exit that waits for no library."""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
"""The exit code for each signal that ends a command."""

_last_steps: list[Callable[[], None]] = []


def at_end(step: Callable[[], None]) -> Callable[[], None]:
    """Register a step for the end of this process, however it comes, but for SIGKILL."""
    atexit.register(step)
    _last_steps.append(step)
    return step


def leave(code: int) -> NoReturn:
    """Exit with a status, once all is torn down and said.

    The interpreter's own end waits for locks of libraries, which a thread that was left behind may
    hold for ever, as one that was just starting a program.
    """
    _take_last_steps()
    for number in STATUS:  # the streams may have to wait for a reader
        signal.signal(number, lambda *_: os._exit(code))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STATUS)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def leave_at_once(code: int) -> NoReturn:
    """Exit with a status, from a signal's handler: what is not written by now is not."""
    _take_last_steps()
    os._exit(code)


def _take_last_steps() -> None:
    """Take the last steps, which are short; a further signal would break off one half way."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STATUS)
    for step in reversed(_last_steps):
        with contextlib.suppress(Exception):  # the others matter as well
            step()
