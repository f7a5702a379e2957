"""Bundles in parts, read as one archive."""

import bisect
import hashlib
import io
import itertools
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from dockless.errors import SourceError
from dockless.model.counts import counted
from dockless.oci.manifest import is_size
from dockless.oci.untrusted_json import parse_own_json
from dockless.processes.regular import open_regular, read_regular
from dockless.sources.source_file import SourceFile
from dockless.storage.blocks import BLOCK
from dockless.storage.bundle_archive import parts_text

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_VERSION = 1
_SHA256 = re.compile("[0-9a-f]{64}")
_REMEDY = "Copy it again, or create the bundle again."


class Part(Struct, frozen=True):
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
        SourceError: It is not such a list, or names a part twice.
    """
    try:
        found = tuple(_parts(parse_own_json(read_regular(listing)), listing.parent))
    except OSError as error:
        raise SourceError(f"{listing} cannot be read: {error.strerror}.", _REMEDY) from None
    except ValueError as error:
        why = f"it is not JSON: {error}" if isinstance(error, JSONDecodeError) else error
        raise SourceError(
            f"{listing} is not the list of a bundle's parts: {why}.", _REMEDY
        ) from None
    if not found:
        raise SourceError(f"{listing} lists no part.", _REMEDY)
    for path, count in Counter(part.path for part in found).items():
        if count > 1:
            raise SourceError(f"{listing} lists the part {path.name} {count} times.", _REMEDY)
    return found


def altered(listing: Path, parts: Sequence[Part]) -> str:
    """Return what is wrong with a list that dockless would write otherwise; empty for nothing.

    A bundle's archive is a whole number of records of 10 KiB, as tar's have been since it wrote
    tapes; of a list that was truncated it may not be.
    """
    if sum(part.size for part in parts) % tarfile.RECORDSIZE:
        return f"{listing} does not list all the parts of an archive."
    text = parts_text((part.path.name, part.size, part.sha256) for part in parts)
    if read_regular(listing) != text.encode():
        return f"{listing} is not as a bundle's is: it is damaged, or was changed."
    return ""


def _parts(document: object, folder: Path) -> Iterator[Part]:
    """Yield the parts; raise ValueError with the reason when it is not a list of them."""
    if not isinstance(document, dict) or not isinstance(parts := document.get("parts"), list):
        raise ValueError("it has no list named parts")
    version = document.get("partsVersion")
    if type(version) is not int or version != _VERSION:
        raise ValueError(f"its partsVersion is not {_VERSION}")
    for number, each in enumerate(parts):
        if not isinstance(each, dict):
            raise ValueError(f"parts[{number}] is not an object")
        size, sha256 = each.get("size"), each.get("sha256")
        if not is_size(size):
            raise ValueError(f"parts[{number}].size is not a number of bytes")
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise ValueError(f"parts[{number}].sha256 is not 64 hexadecimal digits")
        yield Part(folder / _file(each.get("file"), number), size, sha256)


def _file(text: object, number: int) -> str:
    """Return the name of a part's file, without folders; raise ValueError when it is none."""
    name = Path(text).name if isinstance(text, str) else ""
    try:
        name.encode()
    except UnicodeEncodeError:  # a lone surrogate cannot be part of a name either
        name = ""
    if not name or "\0" in name:
        raise ValueError(f"parts[{number}].file is not the name of a file")
    return name


def problems(parts: Sequence[Part]) -> Iterator[SourceError]:
    """Yield the problem of each part; every byte of them is read."""
    for part in parts:
        try:
            _check_size(part)
            with open_regular(part.path) as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except SourceError as error:
            yield error
            continue
        except OSError as error:
            yield _unreadable(part, error)
            continue
        if sha256 != part.sha256:
            yield SourceError(
                f"The part {part.path} is damaged: its SHA-256 is {sha256}, not {part.sha256}.",
                "Copy it again.",
            )


def joined(parts: Sequence[Part]) -> IO[bytes]:
    """Return the archive that the parts form.

    Raises:
        SourceError: One of them is missing, or not as long as it was.
    """
    for part in parts:
        _check_size(part)
    return io.BufferedReader(_Joined(parts), BLOCK)


def _check_size(part: Part) -> None:
    try:
        with open_regular(part.path) as file:  # or a FIFO would be waited for
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise _unreadable(part, error) from None
    if size != part.size:
        raise SourceError(
            f"The part {part.path} has {counted(size, 'byte')}, but {part.size} were written.",
            "Copy it again.",
        )


def _unreadable(part: Part, error: OSError) -> SourceError:
    return SourceError(f"The part {part.path} cannot be read: {error.strerror}.", "Copy it again.")


class _Joined(io.RawIOBase):
    """Reads the parts as one file with random access; each is opened on demand."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self._parts = tuple(parts)
        self._ends = tuple(itertools.accumulate(part.size for part in parts))
        self._position = 0
        self._file: io.FileIO | None = None
        self._number = -1

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1]}
        self._position = max(0, origin[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        number = bisect.bisect_right(self._ends, self._position)
        if number == len(self._parts):
            return 0
        file = self._part(number)
        file.seek(self._position - (self._ends[number] - self._parts[number].size))
        count = file.readinto(buffer)
        self._position += count
        return count

    def _part(self, number: int) -> io.FileIO:
        if self._file is None or number != self._number:
            self._close_part()
            self._file = SourceFile(self._parts[number].path)
            self._number = number
        return self._file

    def close(self) -> None:
        self._close_part()
        super().close()

    def _close_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
