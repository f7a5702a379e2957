"""Compression of layers.

Both formats are made of pieces of a fixed size, each compressed by one core, which follow each
other in the order of the layer. So the same bytes come out whatever the number of cores; callers
write exact blocks of `BLOCK` bytes (`blocks` makes them).
"""

import contextlib
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

from dockless.model.timings import Timings
from dockless.oci.packing import Packing
from dockless.storage.blocks import BLOCK, Sink
from dockless.threads import ThreadPool

_AHEAD_BYTES = 16 * BLOCK
"""Most bytes that wait for being compressed and written."""


@contextlib.contextmanager
def compressing(packing: Packing, sink: Sink, cores: int, timings: Timings) -> Iterator[Sink]:
    """Yield a sink whose bytes arrive compressed in `sink`, complete when the block ends.

    Args:
        packing: How.
        sink: Where to.
        cores: How many pieces are compressed at once.
        timings: Gets the time of all cores.
    """
    if packing.compression == "none":
        yield sink
        return
    with ThreadPool(1) as writer, ThreadPool(max(1, cores)) as workers:
        order = _Order(sink, workers, writer, timings)
        encoder = (_GzipEncoder if packing.compression == "gzip" else _ZstdEncoder)(
            order, packing.level
        )
        try:
            yield encoder
            encoder.finish()
            order.finish()
        finally:
            workers.close(cancel=True)
            writer.close(cancel=True)


class _Order:
    """Compresses pieces in parallel, and writes the results in order."""

    def __init__(
        self,
        sink: Sink,
        workers: ThreadPool,
        writer: ThreadPool,
        timings: Timings,
    ) -> None:
        self._sink = sink
        self._workers = workers
        self._writer = writer
        self._timings = timings
        self._written: deque[tuple[int, Future[int]]] = deque()
        self._ahead = 0

    def add(self, size: int, encode: Callable[[], bytes]) -> None:
        """Add a piece of this size; wait while too many are in progress."""
        part = self._workers.submit(partial(self._encode, encode))
        self._written.append((size, self._writer.submit(partial(self._append, part))))
        self._ahead += size
        while self._ahead > _AHEAD_BYTES:
            self._wait()

    def finish(self) -> None:
        """Wait until every piece is written."""
        while self._written:
            self._wait()

    def _wait(self) -> None:
        size, written = self._written.popleft()
        self._writer.result(written)
        self._ahead -= size

    def _encode(self, encode: Callable[[], bytes]) -> bytes:
        with self._timings.of("compress"):
            return encode()

    def _append(self, part: Future[bytes]) -> int:
        data = self._workers.result(part)
        with self._timings.of("write"):
            return self._sink.write(data)


class _GzipEncoder:
    """One gzip member (RFC 1952), whose pieces are blocks.

    Each is deflated on its own (RFC 1951), with the end of the one before it as its dictionary, and
    ends at a byte boundary, so that they join to one stream. isal's own threaded writer does the
    same, but waits for ever when an interrupt such as Ctrl-C comes between its queues.
    """

    _HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # no time, fastest, any system
    _LAST_BLOCK = b"\x03\x00"
    _WINDOW = 32 * 1024

    def __init__(self, order: _Order, level: int) -> None:
        from isal import isal_zlib  # noqa: PLC0415 - a push that compresses nothing needs none

        self._isal = isal_zlib
        self._order = order
        self._level = level
        self._window = b""
        self._crc = 0
        self._size = 0
        order.add(0, lambda: self._HEADER)

    def write(self, data: bytes) -> int:
        self._crc = self._isal.crc32(data, self._crc)
        self._size += len(data)
        self._order.add(len(data), partial(self._deflate, data, self._window))
        self._window = data[-self._WINDOW :]
        return len(data)

    def finish(self) -> None:
        end = struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF)
        self._order.add(0, lambda: self._LAST_BLOCK + end)

    def _deflate(self, data: bytes, window: bytes) -> bytes:
        encoder = self._isal.compressobj(self._level, wbits=-15, zdict=window)
        return encoder.compress(data) + encoder.flush(self._isal.Z_SYNC_FLUSH)


class _ZstdEncoder:
    """zstd frames (RFC 8878), one after another, each of a fixed number of blocks.

    Higher levels look further back, and so gain by larger frames. The first has one block, so that
    it is sent early.
    """

    _BLOCKS, _BLOCKS_OF_HIGH, _HIGH = 4, 8, 6

    def __init__(self, order: _Order, level: int) -> None:
        import zstandard  # noqa: PLC0415 - a push that compresses nothing needs none

        self._new = partial(zstandard.ZstdCompressor, level)
        self._own = threading.local()
        self._order = order
        self._most = self._BLOCKS if level < self._HIGH else self._BLOCKS_OF_HIGH
        self._count = 1
        self._blocks: list[bytes] = []
        self._empty = True

    def write(self, data: bytes) -> int:
        self._blocks.append(data)
        if len(self._blocks) == self._count:
            self._close_frame()
        return len(data)

    def finish(self) -> None:
        if self._blocks or self._empty:
            self._close_frame()

    def _close_frame(self) -> None:
        blocks, self._blocks, self._empty, self._count = self._blocks, [], False, self._most
        self._order.add(sum(map(len, blocks)), lambda: self._frame(b"".join(blocks)))

    def _frame(self, data: bytes) -> bytes:
        # an encoder serves one thread, and is costly to make
        if not hasattr(self._own, "encoder"):
            self._own.encoder = self._new()
        frame: bytes = self._own.encoder.compress(data)
        return frame
