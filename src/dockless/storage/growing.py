"""Blobs that are read while they are still written."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.storage.streams import Digesting

_LOOK_SECONDS = 0.05


class GivenUpError(SourceError):
    """The blob will not be completed."""


class GrowingBlob:
    """A blob that one thread writes and others read, as a `ports.UnfinishedBlob`.

    Args:
        sink: Writes the file.
        path: The file, which exists; it may be renamed.

    Attributes:
        blob: What it became; None until it is whole.
    """

    def __init__(self, sink: Digesting, path: Path) -> None:
        self.blob: Descriptor | None = None
        self._sink = sink
        self._file = path.open("rb", buffering=0)
        self._size = 0
        self._given_up = False
        self._news = threading.Condition()

    def write(self, data: bytes) -> int:
        """Write all of the bytes; let the readers have them."""
        self._sink.write(data)
        with self._news:
            self._size += len(data)
            self._news.notify_all()
        return len(data)

    def digest(self) -> Digest:
        """Return the digest of what is written so far."""
        return self._sink.digest()

    def finish(self, blob: Descriptor) -> None:
        """Say what it is, now that it is whole."""
        with self._news:
            self.blob = blob
            self._news.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._given_up = self.blob is None
            self._news.notify_all()

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield it from its beginning, in limited pieces; empty ones while there are no more bytes.

        Raises:
            GivenUpError: The rest will not be written.
        """
        offset = 0
        while True:
            with self._news:
                if offset == self._size and self.blob is None and not self._given_up:
                    self._news.wait(_LOOK_SECONDS)
                left, whole = self._size - offset, self.blob is not None
                if self._given_up:
                    raise GivenUpError("The rest of a layer will not be written.")
            if not left and whole:
                return
            chunk = os.pread(self._file.fileno(), min(size, left), offset) if left else b""
            offset += len(chunk)
            yield chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()
