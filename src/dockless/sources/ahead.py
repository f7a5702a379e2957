"""Reading ahead: the writing program need not wait while its output is processed."""

import contextlib
import fcntl
from collections.abc import Iterator

from dockless.storage.ahead_stream import AheadStream
from dockless.storage.blocks import BLOCK, ReadableStream, blocks

_MOST_BYTES = 16 * BLOCK
_PIPE_BYTES = 1024 * 1024


@contextlib.contextmanager
def read_ahead(stream: ReadableStream) -> Iterator[ReadableStream]:
    """Yield a stream that is read in a thread of its own, up to 16 MiB ahead.

    More bytes than usual may wait in a pipe, too. The thread may still wait for the stream's next
    bytes when the block ends; it ends with them.
    """
    _widen(stream)
    with AheadStream(stream, _MOST_BYTES) as ahead:
        yield ahead


@contextlib.contextmanager
def read_to_the_end(stream: ReadableStream) -> Iterator[ReadableStream]:
    """Yield what `read_ahead` does, and read the rest, as a program that writes to a pipe wants."""
    with read_ahead(stream) as ahead:
        yield ahead
        for _ in blocks(ahead):
            pass


def _widen(stream: ReadableStream) -> None:
    """Let more bytes wait in a pipe, where the system can and this user may."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # or it is no pipe, or no file
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[call-overload] # such
