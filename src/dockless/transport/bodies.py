"""The bodies of requests and responses."""

from collections.abc import Callable, Iterable, Iterator

from dockless.oci.manifest import LONGEST_MANIFEST

Body = bytes | Iterable[bytes] | None
BodySink = Callable[[bytes], object]


class RepeatableBody:
    """A body that can be read again from its start.

    Args:
        chunks: Returns its chunks.
    """

    def __init__(self, chunks: Callable[[], Iterator[bytes]]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()


def is_repeatable(body: Body) -> bool:
    """Whether a body can be sent a second time."""
    return body is None or isinstance(body, bytes | RepeatableBody)


def inflated(data: bytes, encoding: str) -> bytes:
    """Return a document as it was before a server that was not asked to compressed it."""
    if encoding.lower() not in ("gzip", "x-gzip"):
        return data
    import zlib  # noqa: PLC0415 - rare

    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, LONGEST_MANIFEST + 1)
    except zlib.error:
        return data
