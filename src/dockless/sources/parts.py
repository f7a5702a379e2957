"""Bundles in parts, read as the one archive that they are."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dockless.layout.blocks import Readable
from dockless.model.errors import SourceError

ENDING = ".parts.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        path: Its file.
        size: Its bytes.
        sha256: Their SHA-256, in hexadecimal digits.
    """

    path: Path
    size: int
    sha256: str


def read_parts(listing: Path) -> tuple[Part, ...]:
    """Return the parts that a list names, in order.

    Raises:
        SourceError: It is no such list.
    """
    try:
        document = json.loads(listing.read_bytes())
        found = tuple(
            Part(listing.parent / Path(each["file"]).name, int(each["size"]), str(each["sha256"]))
            for each in document["parts"]
        )
    except OSError as error:
        raise SourceError(f"{listing} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SourceError(f"{listing} is no list of a bundle's parts.") from None
    if not found:
        raise SourceError(f"{listing} names no part.")
    return found


@contextlib.contextmanager
def joined(listing: Path) -> Iterator[Readable]:
    """Yield the archive that the parts are; a part that is not as it was written is an error."""
    with contextlib.closing(_Joined(read_parts(listing))) as stream:
        yield stream


class _Joined:
    """Reads one part after the other, each compared with its size and SHA-256 at its end."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._file: IO[bytes] | None = None
        self._size = 0
        self._hash = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; raise SourceError for a part that is missing or damaged."""
        while self._parts:
            if self._file is None:
                self._file = _opened(self._parts[0])
                self._size, self._hash = 0, hashlib.sha256()
            if data := self._file.read(size):
                self._size += len(data)
                self._hash.update(data)
                return data
            _compare(self._parts.pop(0), self._size, self._hash.hexdigest())
            self.close()
        return b""

    def close(self) -> None:
        """Close the part that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _opened(part: Part) -> IO[bytes]:
    try:
        return part.path.open("rb")
    except OSError as error:
        raise SourceError(
            f"The part {part.path} cannot be read: {error.strerror}.", "Copy it again."
        ) from None


def _compare(part: Part, size: int, sha256: str) -> None:
    if size != part.size:
        raise SourceError(
            f"The part {part.path} has {size} bytes, and {part.size} were written.",
            "Copy it again.",
        )
    if sha256 != part.sha256:
        raise SourceError(
            f"The part {part.path} is damaged: its SHA-256 is {sha256}, not {part.sha256}.",
            "Copy it again.",
        )
