"""The blocks in which bytes are read, hashed, compressed and written."""

from collections.abc import Iterator
from typing import Protocol

BLOCK = 1024 * 1024
"""Bytes in every block but a stream's last."""


class ReadableStream(Protocol):
    """The one method of a binary file that is needed to read it through."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes, all of them."""


def read_block(stream: ReadableStream) -> bytes:
    """Return the next `BLOCK` bytes, fewer only at the end of the stream."""
    return read_fully(stream, BLOCK)


def read_fully(stream: ReadableStream, size: int) -> bytes:
    """Return the next `size` bytes, fewer only at the end of the stream."""
    data = stream.read(size)
    if not data or len(data) == size:
        return data
    parts, length = [data], len(data)
    while length < size and (data := stream.read(size - length)):
        parts.append(data)
        length += len(data)
    return b"".join(parts)


def blocks(stream: ReadableStream) -> Iterator[bytes]:
    """Yield the stream as blocks of exactly `BLOCK` bytes, the last one shorter."""
    while block := read_block(stream):
        yield block
