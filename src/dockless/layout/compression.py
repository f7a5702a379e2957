"""Compression of layers.

Both encoders give the same bytes whatever the number of cores: they cut their input into blocks
of a fixed size, so callers write exact blocks of `BLOCK` bytes (`blocks` makes them).
"""

import contextlib
import io
import struct
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Literal, cast

from dockless.layout.blocks import Sink
from dockless.model.timings import Timings

Compression = Literal["none", "gzip", "zstd"]

_GZIP_LEVEL = 1
_AHEAD = 16
_ZSTD_LEVEL = 3


@contextlib.contextmanager
def compressing(
    compression: Compression, sink: Sink, cores: int, timings: Timings
) -> Iterator[Sink]:
    """Yield a sink whose bytes arrive compressed in `sink`, complete when the block ends.

    Args:
        compression: How.
        sink: Where to.
        cores: How many blocks are compressed at once.
        timings: Told of the time of all cores.
    """
    if compression == "none":
        yield sink
    elif compression == "gzip":
        with (
            ThreadPoolExecutor(1, "write") as writer,
            ThreadPoolExecutor(max(1, cores), "compress") as workers,
        ):
            gzip = _Gzip(sink, workers, writer, timings)
            try:
                yield gzip
                gzip.finish()
            finally:
                workers.shutdown(cancel_futures=True)
                writer.shutdown(cancel_futures=True)
    else:
        import zstandard  # noqa: PLC0415 - the same

        target = cast("BinaryIO", _Unclosed(sink))
        compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, threads=max(1, cores))
        with compressor.stream_writer(target, closefd=False) as encoder:
            yield _Timed(encoder, timings)


class _Timed:
    """A sink whose writing is compressing."""

    def __init__(self, sink: Sink, timings: Timings) -> None:
        self._sink = sink
        self._timings = timings

    def write(self, data: bytes) -> int:
        with self._timings.of("compress"):
            return self._sink.write(data)


class _Gzip:
    """One gzip member, made of blocks that are compressed side by side (RFC 1952, RFC 1951).

    Each block is deflated on its own, with the end of the one before it as its dictionary, and
    ends at a byte boundary, so that the parts join to one stream. isal's own threaded writer does
    the same, but waits for ever when an interrupt such as Ctrl-C comes between its queues.
    """

    _HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # no time, fastest, any system
    _LAST_BLOCK = b"\x03\x00"
    _WINDOW = 32 * 1024

    def __init__(
        self,
        sink: Sink,
        workers: ThreadPoolExecutor,
        writer: ThreadPoolExecutor,
        timings: Timings,
    ) -> None:
        from isal import isal_zlib  # noqa: PLC0415 - a push that compresses nothing needs none

        self._isal = isal_zlib
        self._sink = sink
        self._workers = workers
        self._writer = writer
        self._timings = timings
        self._parts: deque[Future[int]] = deque()
        self._window = b""
        self._crc = 0
        self._size = 0
        sink.write(self._HEADER)

    def write(self, data: bytes) -> int:
        self._crc = self._isal.crc32(data, self._crc)
        self._size += len(data)
        part = self._workers.submit(self._deflate, data, self._window)
        self._parts.append(self._writer.submit(self._append, part))
        self._window = data[-self._WINDOW :]
        while len(self._parts) > _AHEAD:
            self._parts.popleft().result()
        return len(data)

    def finish(self) -> None:
        while self._parts:
            self._parts.popleft().result()
        self._sink.write(self._LAST_BLOCK)
        self._sink.write(struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF))

    def _append(self, part: Future[bytes]) -> int:
        data = part.result()
        with self._timings.of("write"):
            return self._sink.write(data)

    def _deflate(self, data: bytes, window: bytes) -> bytes:
        with self._timings.of("compress"):
            encoder = self._isal.compressobj(_GZIP_LEVEL, wbits=-15, zdict=window)
            return encoder.compress(data) + encoder.flush(self._isal.Z_SYNC_FLUSH)


class _Unclosed(io.RawIOBase):
    """A file object around a sink, as the encoders expect one."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # encoders write bytes only
        return self._sink.write(data)
