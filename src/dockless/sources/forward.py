"""A stream that is as much of a file as tarfile needs, without a copy of its bytes in between."""

from dockless.storage.blocks import BLOCK, ReadableStream, read_fully


class Forward:
    """A stream that knows its position, and can skip forward."""

    def __init__(self, stream: ReadableStream) -> None:
        self._stream = stream
        self._position = 0

    def tell(self) -> int:
        """Return how many bytes were read or skipped."""
        return self._position

    def seek(self, position: int) -> None:
        """Skip to a later position, which may be past the end."""
        while self._position < position and self.read(min(BLOCK, position - self._position)):
            pass

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        data = read_fully(self._stream, size)
        self._position += len(data)
        return data
