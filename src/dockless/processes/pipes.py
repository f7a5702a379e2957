"""Pipes that another process reads or writes: every wait for it ends with `--timeout`."""

import errno
import os
import select
import time
from collections.abc import Callable

from dockless.concurrency import waited_for
from dockless.errors import time_is_over

PATIENCE_SECONDS = 60.0
"""How long the reader of a pipe may take nothing: one that works reads sooner."""

_MILLISECONDS = 1000


def readable(descriptor: int) -> bool:
    """Wait until a pipe has bytes, or its writers have closed it.

    A FIFO that nobody has opened for writing yet has neither.

    Args:
        descriptor: A pipe that is opened for reading, without blocking.

    Returns:
        Whether that came before the command's time was over.
    """
    return waited_for(_ready(descriptor, select.POLLIN))


def write(descriptor: int, data: bytes, label: str, patience: float = PATIENCE_SECONDS) -> None:
    """Write all of some bytes to a pipe, as its reader takes them.

    Args:
        descriptor: A pipe that is opened for writing, without blocking.
        data: The bytes.
        label: The pipe's name in messages.
        patience: How many seconds its reader may take nothing.

    Raises:
        OSError: Its reader has closed it, or takes nothing any more.
        NetworkError: The command's time was over before.
    """
    left, ready = memoryview(data), _ready(descriptor, select.POLLOUT)
    end = time.monotonic() + patience

    def look(seconds: float) -> object:
        return ready(seconds) or time.monotonic() > end

    while left:
        if not waited_for(look):
            raise time_is_over(f"Writing to {label}")
        try:
            left = left[os.write(descriptor, left) :]
            end = time.monotonic() + patience
        except BlockingIOError:
            if time.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "its reader takes nothing", label) from None


def is_full(descriptor: int) -> bool:
    """Whether a write would have to wait for a reader."""
    return not _ready(descriptor, select.POLLOUT)(0)


def _ready(descriptor: int, event: int) -> Callable[[float], object]:
    poll = select.poll()
    poll.register(descriptor, event)
    return lambda seconds: poll.poll(seconds * _MILLISECONDS)
