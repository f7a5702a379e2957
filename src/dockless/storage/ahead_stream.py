"""Reading a stream ahead in a thread of its own."""

import threading
from collections import deque
from typing import Self

from dockless.concurrency import waited_for
from dockless.errors import time_is_over
from dockless.storage.blocks import BLOCK, ReadableStream
from dockless.threads import DaemonThread

_LOOK_SECONDS = 0.5


class AheadStream:
    """What a thread has read ahead, in the chunks in which it arrived.

    The thread may still wait for the stream's next bytes when the block ends; it ends with them.

    Args:
        stream: What is read.
        most: Bytes that are read ahead at most.

    Raises:
        RuntimeError: The system allows no further thread.
        MemoryError: The memory does not suffice for one.
    """

    def __init__(self, stream: ReadableStream, most: int) -> None:
        self._stream = stream
        self._most = most
        self._chunks: deque[bytes] = deque()
        self._taken = 0  # bytes of the first chunk
        self._size = 0
        self._ended = False
        self._error: BaseException | None = None
        self._stopped = False
        self._news = threading.Condition()
        self._thread = DaemonThread(self._fill)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _fill(self) -> None:
        """Read the stream to its end, in the thread."""
        try:
            while chunk := self._stream.read(BLOCK):
                with self._news:
                    while self._size >= self._most and not self._stopped:
                        self._news.wait(_LOOK_SECONDS)
                    if self._stopped:
                        return
                    self._chunks.append(chunk)
                    self._size += len(chunk)
                    self._news.notify()
        except BaseException as error:  # noqa: BLE001 - whoever reads is told
            self._error = error
        with self._news:
            self._ended = True
            self._news.notify()

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, what has come of them; all that is to come for less than 0.

        Raises:
            MemoryError: The thread ended for lack of memory.
            NetworkError: The command's time was over before.
        """
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
        if self._news.wait_for(lambda: bool(self._chunks) or self._ended, seconds):
            return True
        if self._thread.failed and not (self._chunks or self._ended):
            raise MemoryError("the thread that reads ahead ended for lack of memory")
        return False

    def stop(self) -> None:
        """Let the thread end, which may wait until there is room."""
        with self._news:
            self._stopped = True
            self._news.notify()

    def end(self) -> None:
        """Let the thread end, and wait for that until the command's time is over."""
        self.stop()
        waited_for(self._has_ended)

    def _has_ended(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()
