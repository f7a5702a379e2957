"""The end of this process: the last steps, and an exit that waits for no library."""

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from typing import NoReturn

_last_steps: list[Callable[[], None]] = []


def at_end(step: Callable[[], None]) -> Callable[[], None]:
    """Register a step for the end of this process, however it comes, but for a signal's."""
    atexit.register(step)
    _last_steps.append(step)
    return step


def leave(code: int) -> NoReturn:
    """Exit with a status, once all is torn down and said.

    The interpreter's own end waits for locks of libraries, which a thread that was left behind may
    hold for ever, as one that was just starting a program.
    """
    for step in reversed(_last_steps):
        step()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
