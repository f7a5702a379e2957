"""Reading ahead: a program that writes need not wait while what it wrote is worked on."""

import contextlib
import fcntl
import threading
from collections.abc import Iterator
from queue import Queue

from dockless.layout.blocks import Readable, read_block

_BLOCKS = 16
_PIPE_BYTES = 1024 * 1024


@contextlib.contextmanager
def read_ahead(stream: Readable) -> Iterator[Readable]:
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


def _widen(stream: Readable) -> None:
    """Let more bytes wait in a pipe, where the system can and this user may."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # or it is no pipe, or no file
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[call-overload] # such


class _Ahead:
    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._blocks: Queue[bytes | BaseException] = Queue(_BLOCKS)
        self._stopped = threading.Event()
        self._rest: bytes | None = None

    def fill(self) -> None:
        """Read the stream to its end."""
        try:
            while block := read_block(self._stream):
                self._blocks.put(block)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - whoever reads is told
            self._blocks.put(error)
        else:
            self._blocks.put(b"")

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, all that is to come for none; nothing at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 30), b""))
        if self._rest is None:
            self._rest = self._next()
        data, rest = self._rest[:size], self._rest[size:]
        # at the end, and there alone, what is left is empty and stays
        self._rest = rest if rest or not data else None
        return data

    def stop(self) -> None:
        """Let the thread end, which may wait until there is room."""
        self._stopped.set()
        while not self._blocks.empty():
            self._blocks.get()

    def _next(self) -> bytes:
        found = self._blocks.get()
        if isinstance(found, BaseException):
            raise found
        return found
