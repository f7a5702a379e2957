"""The structure of a bundle's archive or folder, apart from the content of its files."""

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from tarfile import BLOCKSIZE, TarInfo
from typing import IO, Protocol, cast

from msgspec import Struct

from dockless.sources.forward import Forward
from dockless.sources.headers import members, opened, tar_errors
from dockless.sources.source_file import reading
from dockless.storage.blocks import BLOCK, ReadableStream

_END = bytes(2 * BLOCKSIZE)


class Shape(Struct, frozen=True):
    """The content of an archive or folder.

    Attributes:
        names: Its regular files.
        problems: A sentence for each problem.
    """

    names: frozenset[str]
    problems: tuple[str, ...]


def shape_of_archive(
    stream: Callable[[], AbstractContextManager[ReadableStream]], label: str
) -> Shape:
    """Check the headers of an uncompressed archive, and the bytes outside of files.

    A file is followed by zeros up to the next block of 512 bytes, the last file by two blocks of
    zeros, and these by nothing but zeros: POSIX.1-2008, pax, 'ustar Interchange Format'.

    Args:
        stream: Opens the archive, from its beginning; it is read twice.
        label: Its name in messages.

    Raises:
        SourceError: It cannot be read, or has a file that no image archive has.
    """
    with (
        stream() as plain,
        tar_errors(label),
        opened(cast("IO[bytes]", _movable(plain))) as archive,
    ):
        folders: set[str] = set()
        found = list(members(archive, label, folders))
        end = archive.offset
    with stream() as plain:
        loose = tuple(_loose(_movable(plain), found, end, label))
    links = (_link(name, member, label) for name, member in found if not member.isreg())
    names = frozenset(name for name, member in found if member.isreg())
    both = _both({name for name, _ in found}, folders, label)
    return Shape(names, (*links, *both, *loose))


def _both(files: set[str], folders: set[str], label: str) -> Iterator[str]:
    """Yield the names of files that are folders, too: what is unpacked then is ambiguous."""
    above = {parent.as_posix() for name in files | folders for parent in PurePath(name).parents}
    for name in sorted(files & (folders | above)):
        yield f"{label}: {name} is a file and a folder, and it is ambiguous which is meant."


class _Movable(Protocol):
    def seek(self, position: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


def _movable(stream: ReadableStream) -> _Movable:
    """Return a stream that goes to a place; one that is decompressed reads what comes before."""
    if isinstance(stream, io.IOBase) and stream.seekable():
        return cast("_Movable", stream)
    return Forward(stream)


def _link(name: str, member: TarInfo, label: str) -> str:
    if not (member.issym() or member.islnk()):
        return f"{label}: {name} is neither a file nor a link, but a bundle has only files."
    kind = "symbolic" if member.issym() else "hard"
    return f"{label}: {name} is a {kind} link, but a bundle has only files."


def _loose(
    stream: _Movable, found: list[tuple[str, TarInfo]], end: int, label: str
) -> Iterator[str]:
    """Yield the positions of bytes that belong to no file, and whether the end is missing."""
    for name, member in found:
        if not member.isreg():
            continue
        after = member.offset_data + member.size
        stream.seek(after)
        if any(stream.read(-after % BLOCKSIZE)):
            yield f"{label}: {name} is followed by bytes, at offset {after}, of no file."
    stream.seek(end)
    zeros = 0
    while data := stream.read(BLOCK):
        if data.strip(b"\0"):
            at = end + zeros + len(data) - len(data.lstrip(b"\0"))
            yield f"{label} has bytes after its last file, at offset {at}, of no file."
            return
        zeros += len(data)
    if zeros < len(_END):
        yield (
            f"{label} has no end-of-archive marker (two blocks of zeros), so it may be truncated."
        )


def shape_of_folder(folder: Path, label: str) -> Shape:
    """Check everything in a folder.

    Raises:
        SourceError: A folder in it is not readable.
    """
    names: list[str] = []
    problems: list[str] = []
    waiting = [folder]
    while waiting:
        with reading(str(waiting[-1])), os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                name = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_symlink():
                    problems.append(
                        f"{label}: {name} is a symbolic link, but a bundle has only files."
                    )
                elif entry.is_dir():
                    waiting.append(Path(entry.path))
                elif stat.S_ISREG(entry.stat().st_mode):
                    names.append(name)
                else:
                    problems.append(f"{label}: {name} is neither a file nor a folder.")
    return Shape(frozenset(names), tuple(sorted(problems)))
