"""Reading ahead: the writing program need not wait while its output is processed."""

import contextlib
import fcntl
import threading
from collections import deque
from collections.abc import Iterator

from dockless.concurrency import waited_for
from dockless.errors import time_is_over
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
    ahead = _Ahead(stream)
    threading.Thread(target=ahead.fill, name="read-ahead", daemon=True).start()
    try:
        yield ahead
    finally:
        ahead.stop()


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


class _Ahead:
    """What was read ahead, in the chunks in which it arrived."""

    def __init__(self, stream: ReadableStream) -> None:
        self._stream = stream
        self._chunks: deque[bytes] = deque()
        self._taken = 0  # bytes of the first chunk
        self._size = 0
        self._ended = False
        self._error: BaseException | None = None
        self._stopped = False
        self._news = threading.Condition()

    def fill(self) -> None:
        """Read the stream to its end."""
        try:
            while chunk := self._stream.read(BLOCK):
                with self._news:
                    self._news.wait_for(lambda: self._size < _MOST_BYTES or self._stopped)
                    if self._stopped:
                        return
                    self._chunks.append(chunk)
                    self._size += len(chunk)
                    self._news.notify()
        except BaseException as error:  # noqa: BLE001 - raised again at the next read
            self._error = error
        with self._news:
            self._ended = True
            self._news.notify()

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, what has come of them; all that is to come for less than 0."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        with self._news:
            if not waited_for(self._has_news):
                raise time_is_over("The rest of the source")
            if not self._chunks:
                if self._error:
                    raise self._error
                return b""
            first = self._chunks[0]
            data = first[self._taken : self._taken + size]
            self._taken += len(data)
            if self._taken == len(first):
                self._chunks.popleft()
                self._taken = 0
            self._size -= len(data)
            self._news.notify()
        return data

    def _has_news(self, seconds: float) -> bool:
        return self._news.wait_for(lambda: bool(self._chunks) or self._ended, seconds)

    def stop(self) -> None:
        """Let the thread end, which may wait until there is room."""
        with self._news:
            self._stopped = True
            self._news.notify()
