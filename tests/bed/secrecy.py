"""A watch for passwords where they must never be: argv, environments and files."""

import base64
import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from bed.registry import Login

_PAUSE_SECONDS = 0.015
_SMALL_BYTES = 1 << 20


class _File(NamedTuple):
    """A file as it was at one look; another one after it was written or moved."""

    path: str
    changed: int
    size: int


class Watch:
    """What was found so far.

    Attributes:
        found: Where a secret was seen: `argv of 123 (skopeo)`, or a file's path.
        processes: The names of all processes that were looked at.
        files: All files that were looked at.
    """

    def __init__(self, login: Login, folders: Sequence[Path]) -> None:
        self.found: set[str] = set()
        self.processes: set[str] = set()
        self.files: set[Path] = set()
        self._needles = forms(login)
        self._folders = folders
        # by what was there, and not by a moment: the clock of file systems may be behind by a tick
        self._seen = {file for folder in folders for file in _files(str(folder))}

    def look(self, largest: int | None = None) -> None:
        """Read every process, and every file created or changed since the watch began.

        Args:
            largest: Bytes above which a file is left for later; None for no limit.
        """
        for name in os.listdir("/proc"):  # noqa: PTH208 - a watch that makes paths is a slow one
            if name.isdigit():
                self._look_at_process(name)
        for folder in self._folders:
            for file in _files(str(folder)):
                self._look_at_file(file, largest)

    def _look_at_process(self, number: str) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            name = _read(f"/proc/{number}/comm").decode().rstrip()
            for kind, file in (("argv", "cmdline"), ("environment", "environ")):
                if self._has_secret(_read(f"/proc/{number}/{file}")):
                    self.found.add(f"{kind} of {number} ({name})")
            self.processes.add(name)

    def _look_at_file(self, file: _File, largest: int | None) -> None:
        if file in self._seen or (largest is not None and file.size > largest):
            return
        self._seen.add(file)
        self.files.add(Path(file.path))
        with contextlib.suppress(FileNotFoundError):
            if self._has_secret(_read(file.path)):
                self.found.add(file.path)

    def _has_secret(self, data: bytes) -> bool:
        return any(needle in data for needle in self._needles)


def forms(login: Login) -> frozenset[bytes]:
    """Return the forms in which the password may be written: plain, base64, URL and JSON."""
    plain = login.password.encode()
    pair = ":".join(login).encode()
    encoded = {
        form(text).rstrip(b"=")
        for form in (base64.b64encode, base64.urlsafe_b64encode)
        for text in (plain, pair)
    }
    quoted = {quote(login.password, safe="").encode(), quote(login.password).encode()}
    escaped = json.dumps(login.password)[1:-1].encode()
    return frozenset({plain, escaped, *encoded, *quoted})


@contextlib.contextmanager
def watching(login: Login, *folders: Path) -> Iterator[Watch]:
    """Look everywhere all the time while the block runs, and once more when it has ended.

    Large files are read once, at the end. Files that were there before are not read.
    """
    watch = Watch(login, folders)
    over = threading.Event()

    def keep_looking() -> None:
        while not over.wait(_PAUSE_SECONDS):
            watch.look(largest=_SMALL_BYTES)

    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.look()


def _files(folder: str) -> Iterator[_File]:
    """Yield the regular files below a folder; a folder that is gone has none."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    yield _File(entry.path, status.st_mtime_ns, status.st_size)


def _read(path: str) -> bytes:
    """Return a whole file, as cheaply as a watch needs it that reads hundreds at every look."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(descriptor, _SMALL_BYTES):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)
