"""The archive of a bundle: a tar, in one file or in parts with a list of them."""

import errno
import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Self, cast

from dockless.errors import PushError
from dockless.processes.scratch import scratch
from dockless.storage.bundle_lists import BUNDLE_FILES

PARTS = "parts.json"
"""The ending of the file that lists the parts of a split bundle."""

REMEDY = "Check the free space and the permissions."


def pack(
    folder: Path, out: Path, part: int | None, recheck: Callable[[], None] = lambda: None
) -> tuple[Path, ...]:
    """Write a layout as a tar, in parts of a given size if requested.

    The files get their names when all of them are complete.

    Args:
        folder: The layout.
        out: The archive; the names of parts begin with its name.
        part: The bytes of a part; None for one file.
        recheck: Called before the files get their names; raises where one would replace what must
            stay, and may have come meanwhile.

    Returns:
        The files: the tar, or its parts in order and the list of them.

    Raises:
        PushError: A file cannot be written; what was written is gone.
    """
    whole = out.resolve() if out.is_symlink() else out
    try:
        with scratch(whole.parent, f".{whole.name}.") as drafts:
            sink = _Parts(drafts / whole.name, part)
            stream = cast("IO[bytes]", sink)  # tarfile need only write
            with sink, tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                for path in _members(folder):
                    _add(tar, folder, path)
            made = sink.listed()
            recheck()
            for path in made:
                path.replace(whole.with_name(path.name))
    except OSError as error:
        raise unwritten(out, error) from None
    return tuple(out.with_name(path.name.replace(whole.name, out.name, 1)) for path in made)


def stream(folder: Path, sink: object) -> None:
    """Write a layout as a tar, with the bytes that a file of it has, to where it cannot be read.

    Args:
        folder: The layout.
        sink: Has a method `write`, which raises its own errors.
    """
    into = cast("IO[bytes]", sink)  # tarfile need only write
    with tarfile.open(fileobj=into, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in _members(folder):
            _add(tar, folder, path)


def parts_text(parts: Iterable[tuple[str, int, str]]) -> str:
    """Return the text of a list of parts: the name of each, its bytes and their SHA-256."""
    listed = [{"file": name, "size": size, "sha256": sha256} for name, size, sha256 in parts]
    return json.dumps({"partsVersion": 1, "parts": listed}, indent=2) + "\n"


def unwritten(out: Path, error: OSError) -> PushError:
    """Return the error for a bundle that the file system does not take."""
    remedy = REMEDY
    if error.errno == errno.EFBIG:
        remedy = (
            "Files may not be that large there, as on FAT: write it in smaller parts, as with "
            "--split 2G, or raise the limit (ulimit -f)."
        )
    return PushError(f"The bundle {out} cannot be written: {error.strerror}.", remedy)


def _members(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in BUNDLE_FILES)
    blobs = sorted(path for path in folder.glob("blobs/*/*") if not path.name.startswith("."))
    # skopeo 1.9.3 makes a folder without an entry of its own with mode 0600, and gives it to root
    folders = {path.parent for path in blobs}
    yield from sorted(folders | {each.parent for each in folders})
    yield from blobs


def _add(tar: tarfile.TarFile, folder: Path, path: Path) -> None:
    header = tarfile.TarInfo(path.relative_to(folder).as_posix())
    if path.is_dir():
        header.type, header.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(header)
        return
    header.size = path.stat().st_size
    header.mode = 0o644
    with path.open("rb") as file:
        tar.addfile(header, file)


class _Parts:
    """A sink that starts a new file after a given number of bytes."""

    def __init__(self, out: Path, size: int | None) -> None:
        self._out = out
        self._size = size
        self._files: list[tuple[Path, int, str]] = []
        self._hash = hashlib.sha256()
        self._left = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end()
        if kind is None and self._size:
            text = parts_text((path.name, size, digest) for path, size, digest in self._files)
            Path(f"{self._out}.{PARTS}").write_text(text)

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            if self._file is None:
                self._begin()
            taken = view if self._size is None else view[: self._left]
            if self._file is not None:
                self._file.write(taken)
            self._hash.update(taken)
            self._left -= len(taken)
            path, size, _ = self._files[-1]
            self._files[-1] = (path, size + len(taken), "")
            view = view[len(taken) :]
            if self._size is not None and not self._left:
                self._end()
        return len(data)

    def _begin(self) -> None:
        number = len(self._files)
        path = self._out if self._size is None else Path(f"{self._out}.{number:03}")
        self._file = path.open("wb")
        self._files.append((path, 0, ""))
        self._hash = hashlib.sha256()
        self._left = self._size or 0

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            path, size, _ = self._files[-1]
            self._files[-1] = (path, size, self._hash.hexdigest())

    def listed(self) -> tuple[Path, ...]:
        """Return every file that was written."""
        listing = (Path(f"{self._out}.{PARTS}"),) if self._size else ()
        return (*(path for path, _, _ in self._files), *listing)
