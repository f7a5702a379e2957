"""Streams that become a blob: counted, hashed, written, and never longer than announced."""

from pathlib import Path
from typing import Protocol, Self

from dockless.errors import SourceError
from dockless.model.counts import number
from dockless.oci.digest import Digest
from dockless.ports import Task
from dockless.storage.blocks import ReadableStream, Sink, blocks


class LengthChecked:
    """A stream of known length that reports progress, and knows when it ends too early."""

    def __init__(self, stream: ReadableStream, size: int, task: Task, label: str) -> None:
        self._stream = stream
        self._left = size
        self._task = task
        self._label = label

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; raise SourceError when there are fewer than promised."""
        data = self._stream.read(min(size, self._left) if size >= 0 else self._left)
        if not data and self._left:
            raise SourceError(
                f"{self._label} is truncated: it lacks {number(self._left, 'byte')}.",
                "Create or copy it again.",
            )
        self._left -= len(data)
        self._task.advance(len(data))
        return data


class Tee:
    """Hands on what is read, and writes it elsewhere on the way."""

    def __init__(self, stream: ReadableStream, sink: Sink) -> None:
        self._stream = stream
        self._sink = sink

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, which the sink has then, too."""
        data = self._stream.read(size)
        self._sink.write(data)
        return data


class Pushback:
    """A stream whose first block was read ahead."""

    def __init__(self, first: bytes, stream: ReadableStream) -> None:
        self._first = first
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return what was read ahead, then the rest."""
        if not self._first:
            return self._stream.read(size)
        cut = len(self._first) if size < 0 else size
        data, self._first = self._first[:cut], self._first[cut:]
        return data


class Digesting(Sink, Protocol):
    """A sink that knows the digest of what it took in."""

    def digest(self) -> Digest:
        """Return the digest of all bytes so far."""


class Hashing:
    """A sink that only hashes."""

    def __init__(self, algorithm: str = "sha256") -> None:
        self._algorithm = algorithm
        self._hash = Digest(algorithm, "").hasher()

    def write(self, data: bytes) -> int:
        """Take the bytes in."""
        self._hash.update(data)
        return len(data)

    def digest(self) -> Digest:
        """Return the digest of all bytes so far."""
        return Digest(self._algorithm, self._hash.hexdigest())


class BlobDraft(Hashing):
    """A blob that is being written: hashed and counted on its way to its file.

    Attributes:
        path: The file.
        size: Bytes written so far.
    """

    def __init__(self, folder: Path, algorithm: str = "sha256") -> None:
        super().__init__(algorithm)
        self.path = folder / f".{id(self):x}"
        self.size = 0
        self._file = self.path.open("xb", buffering=0)

    def write(self, data: bytes) -> int:
        """Write and hash all of the bytes."""
        super().write(data)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def discard(self) -> None:
        """Close and delete the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            self.discard()


def digest_of(stream: ReadableStream) -> Digest:
    """Read a stream to its end, and return its sha256 digest."""
    digest = Hashing()
    for block in blocks(stream):
        digest.write(block)
    return digest.digest()
