"""Pipes that another process reads or writes: every wait for it ends with `--timeout`."""

import errno
import fcntl
import math
import os
import re
import select
import time
from collections.abc import Callable
from pathlib import Path

from dockless.concurrency import waited_for
from dockless.errors import time_is_over

PATIENCE_SECONDS = 60.0
"""How long the reader of a pipe may take nothing: one that works reads sooner."""

_MILLISECONDS = 1000
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


def readable(descriptor: int, patience: float = math.inf) -> bool:
    """Wait until a pipe has bytes, or its writers have closed it.

    A FIFO that nobody has opened for writing yet has neither.

    Args:
        descriptor: A pipe that is opened for reading, without blocking.
        patience: How many seconds are waited for that.

    Returns:
        Whether the wait ended before the command's time was over.
    """
    ready, end = _ready(descriptor, select.POLLIN), time.monotonic() + patience
    return waited_for(lambda seconds: ready(seconds) or time.monotonic() > end)


def is_readable(descriptor: int) -> bool:
    """Whether a pipe has bytes, or had a writer that closed it: then its end is one."""
    return bool(_ready(descriptor, select.POLLIN)(0))


def write(descriptor: int, data: bytes, label: str, patience: float = PATIENCE_SECONDS) -> None:
    """Write all of some bytes to a pipe, as its reader takes them.

    Args:
        descriptor: A pipe that is opened for writing, without blocking or with it.
        data: The bytes.
        label: The pipe's name in messages.
        patience: How many seconds its reader may take nothing.

    Raises:
        OSError: Its reader has closed it, or takes nothing any more.
        NetworkError: The command's time was over before.
    """
    left, ready = memoryview(data), _ready(descriptor, select.POLLOUT)
    # a pipe that is ready takes as many without blocking
    most = select.PIPE_BUF if os.get_blocking(descriptor) else len(left)
    end = time.monotonic() + patience

    def look(seconds: float) -> object:
        return ready(seconds) or time.monotonic() > end

    while left:
        if not waited_for(look):
            raise time_is_over(f"Writing to {label}")
        try:
            left = left[os.write(descriptor, left[:most]) :]
            end = time.monotonic() + patience
        except BlockingIOError:
            if time.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "its reader takes nothing", label) from None


def may_write(path: Path) -> bool:
    """Whether `open_to_write` would be permitted; a path that is not there yet counts as well."""
    there = os.path.exists(path)  # noqa: PTH110 - raises nothing
    return not there or os.access(path, os.W_OK) or _own_descriptor(path) is not None


def open_to_write(path: Path, flags: int) -> int:
    """Open a device or pipe for writing, and return its descriptor.

    A pipe that another user made cannot be opened again, not even as /dev/stderr by a process whose
    standard error it is; then it is what that process has open, which is not reconfigured.

    Args:
        path: The device or pipe.
        flags: Further flags of open(2).

    Raises:
        OSError: It cannot be opened.
    """
    try:
        return os.open(path, os.O_WRONLY | flags, 0o666)
    except PermissionError:
        own = _own_descriptor(path)
        if own is None:
            raise
        return os.dup(own)


def _own_descriptor(path: Path) -> int | None:
    """Return the descriptor that a path such as /dev/stderr or /dev/fd/3 is, if it is writable."""
    name = str(path.absolute())
    found = re.fullmatch(r"/(?:dev|proc/self)/fd/([0-9]{1,9})", name)
    number = int(found[1]) if found else _STREAMS.get(name)
    if number is None:
        return None
    try:
        mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return None
    return None if mode == os.O_RDONLY else number


def is_full(descriptor: int) -> bool:
    """Whether a write would have to wait for a reader."""
    return not _ready(descriptor, select.POLLOUT)(0)


def _ready(descriptor: int, event: int) -> Callable[[float], object]:
    poll = select.poll()
    poll.register(descriptor, event)
    return lambda seconds: poll.poll(seconds * _MILLISECONDS)
