"""Decompression of archives and layers, with bounded memory and against bombs."""

import bz2
import contextlib
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from dockless.errors import SourceError
from dockless.storage.blocks import BLOCK, ReadableStream, blocks
from dockless.threads import NO_THREAD

_ZSTD_PIECE = 1024
_MEMORY_LIMIT = 128 * 1024 * 1024
_GZIP_AHEAD = 2 * BLOCK
_OF_MEMORY = re.compile("[Mm]emory usage limit|too much memory|[Ww]indow")
_NO_MEMBER = "Not a gzipped file"
_BOMB_STARTS = 1024 * BLOCK
_BOMB_RATIO = 2000

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}

MAGIC_BYTES = 6
"""The most bytes that `sniff` needs."""


def sniff(head: bytes) -> str:
    """Return `gzip`, `zstd`, `bzip2`, `xz` or `none` for the first bytes of a stream."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    # a skippable frame may stand before zstd's own, as in zstd:chunked and seekable files
    return "zstd" if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50 else "none"  # noqa: PLR2004


@contextlib.contextmanager
def decompressing(stream: ReadableStream, compression: str, label: str) -> Iterator[ReadableStream]:
    """Yield a stream of the decompressed bytes.

    It stops with a SourceError, instead of filling a disk, when a little input becomes very much
    output, and uses at most 128 MiB for a window, whatever the data asks for.

    Args:
        stream: The compressed bytes.
        compression: What `sniff` said of them.
        label: What is read, for the error.
    """
    if compression == "none":
        yield stream
        return
    with io.BufferedReader(_Guarded(_CountedInput(stream), compression, label), BLOCK) as plain:
        yield plain


def beginning(stream: ReadableStream, compression: str, size: int) -> bytes:
    """Return the first bytes of a compressed stream, as far as they can be read.

    The readers that are made for speed give nothing of a block in which the data ends too early.

    Args:
        stream: The compressed bytes.
        compression: What `sniff` said of them.
        size: How many bytes to return; fewer where there are no more.

    Raises:
        EOFError: The data ends too early, before that many bytes.
        ValueError: It is not such data, or damaged.
    """
    feed, ended = _feeder(compression, size)
    errors: _Errors = (OSError, lzma.LZMAError, zlib.error, *_errors_of(compression))
    found = b""
    try:
        for block in blocks(stream):
            for start in range(0, len(block), _ZSTD_PIECE):
                found += feed(block[start : start + _ZSTD_PIECE])
                if len(found) >= size or ended():
                    return found[:size]
    except errors as error:
        raise ValueError(str(error)) from None
    raise EOFError("it ends too early")


def _feeder(compression: str, size: int) -> tuple[Callable[[bytes], bytes], Callable[[], bool]]:
    """Return what decompresses pieces of one member or frame, and whether that has ended."""
    if compression == "gzip":
        gzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return lambda piece: gzip.decompress(gzip.unconsumed_tail + piece, size), lambda: gzip.eof
    if compression == "zstd":
        import zstandard  # noqa: PLC0415 - loaded when needed

        zstd = zstandard.ZstdDecompressor(max_window_size=_MEMORY_LIMIT).decompressobj()
        return zstd.decompress, lambda: zstd.eof
    other: bz2.BZ2Decompressor | lzma.LZMADecompressor = (
        bz2.BZ2Decompressor()
        if compression == "bzip2"
        else lzma.LZMADecompressor(memlimit=_MEMORY_LIMIT)
    )
    return lambda piece: other.decompress(piece, size), lambda: other.eof


def _errors_of(compression: str) -> "_Errors":
    if compression != "zstd":
        return ()
    import zstandard  # noqa: PLC0415 - loaded when needed

    return (zstandard.ZstdError,)


class _CountedInput(io.RawIOBase):
    """Counts what is read."""

    def __init__(self, stream: ReadableStream) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(BLOCK if size < 0 else size)
        self.count += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Guarded(io.RawIOBase):
    """Decompresses, and turns every decoder's own errors and every bomb into a SourceError."""

    def __init__(self, source: _CountedInput, compression: str, label: str) -> None:
        self._source = source
        self._label = label
        self._compression = compression
        self._decoder, self._errors = _decoder(source, compression)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer
        try:
            data = self._decoder.read(len(buffer))
        except self._errors as error:
            raise self._damaged(error) from None
        self._count += len(data)
        if self._count > max(_BOMB_STARTS, _BOMB_RATIO * self._source.count):
            raise SourceError(
                f"{self._label} expands to more than {_BOMB_RATIO} times its size.",
                "If this is not an attack, decompress it first and push the result.",
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._decoder.close()
        super().close()

    def _damaged(self, error: Exception) -> SourceError:
        if _OF_MEMORY.search(str(error)):
            return SourceError(
                f"{self._label} needs more than {_MEMORY_LIMIT >> 20} MiB of memory to be "
                f"decompressed: its {self._compression} data has a larger dictionary or window.",
                "Decompress it first and push the result, or compress it with a smaller one, as "
                "with 'xz -6' or 'zstd -19'.",
            )
        if self._compression == "gzip" and isinstance(error, EOFError):
            # the reader does not tell the two apart
            error = EOFError("it ends too early, or is followed by other bytes")
        elif _NO_MEMBER in str(error):  # it was one at the beginning, by `sniff`
            error = ValueError("it is followed by bytes that are not gzip data")
        return SourceError(
            f"{self._label} is damaged: its {self._compression} data cannot be read ({error}).",
            "Create or copy it again.",
        )


_USUAL_ERRORS = (OSError, EOFError, ValueError)
_Errors = tuple[type[Exception], ...]


def _decoder(source: _CountedInput, compression: str) -> tuple[BinaryIO, _Errors]:
    """Return what decompresses, and every class of error by which it says that it cannot."""
    if compression == "gzip":
        from isal import igzip_lib  # noqa: PLC0415 - loaded when needed

        own = cast("type[Exception]", igzip_lib.error)
        return cast("BinaryIO", _GzipReader(source)), (*_USUAL_ERRORS, own, zlib.error)
    if compression == "zstd":
        import zstandard  # noqa: PLC0415 - loaded when needed

        return cast("BinaryIO", _Frames(source)), (*_USUAL_ERRORS, zstandard.ZstdError)
    return cast("BinaryIO", _Incremental(source, compression)), (*_USUAL_ERRORS, lzma.LZMAError)


class _GzipReader(io.RawIOBase):
    """Reads gzip, members one after another, ahead in a thread where the system allows one.

    isal's own threaded reader waits for ever where its thread does not come to its first step,
    and takes the end of a thread for the end of the data.
    """

    def __init__(self, source: _CountedInput) -> None:
        from isal import igzip  # noqa: PLC0415 - loaded when needed

        from dockless.storage.ahead_stream import AheadStream  # noqa: PLC0415 - the same

        self._plain = igzip.open(source, "rb")
        self._ahead: AheadStream | None = None
        with contextlib.suppress(*NO_THREAD):
            self._ahead = AheadStream(self._plain, _GZIP_AHEAD)

    def read(self, size: int = -1) -> bytes:
        if self._ahead:
            return self._ahead.read(size)
        data: bytes = self._plain.read(size)
        return data

    def close(self) -> None:
        if not self.closed and self._ahead:
            self._ahead.end()  # the source may be read by others afterwards
        super().close()


class _Frames(io.RawIOBase):
    """Reads zstd, frames one after another.

    zstandard's own reader takes a frame that ends too early for a whole one. Its object for
    pieces does not, and as it returns all that a piece becomes, the pieces are small.
    """

    def __init__(self, source: _CountedInput) -> None:
        import zstandard  # noqa: PLC0415 - loaded when needed

        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_MEMORY_LIMIT)
        self._decoder = self._decompressor.decompressobj()
        self._pieces = _pieces(source)
        self._plain = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        while not (data := self._plain.read(size)):
            ended = self._decoder.eof
            piece = (ended and self._decoder.unused_data) or next(self._pieces, b"")
            if not piece:
                if ended:
                    return b""
                raise EOFError("it ends too early")
            if ended:
                self._decoder = self._decompressor.decompressobj()
            self._plain = io.BytesIO(self._decoder.decompress(piece))
        return data


def _pieces(source: _CountedInput) -> Iterator[bytes]:
    for block in blocks(source):
        for start in range(0, len(block), _ZSTD_PIECE):
            yield block[start : start + _ZSTD_PIECE]


class _Incremental(io.RawIOBase):
    """Reads bzip2 or xz, members one after another, with bounded memory."""

    def __init__(self, source: _CountedInput, compression: str) -> None:
        self._source = source
        self._compression = compression
        self._decoder = self._new()

    def _new(self) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
        if self._compression == "bzip2":
            return bz2.BZ2Decompressor()
        return lzma.LZMADecompressor(memlimit=_MEMORY_LIMIT)

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._decoder.eof:
                rest = self._decoder.unused_data or self._source.read(BLOCK)
                if not rest.strip(b"\0"):
                    return b""
                self._decoder = self._new()
            else:
                rest = self._source.read(BLOCK) if self._decoder.needs_input else b""
                if not rest and self._decoder.needs_input:
                    raise EOFError("it ends too early")
            if data := self._decoder.decompress(rest, size):
                return data
