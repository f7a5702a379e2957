"""A watch for passwords where they must never be: argv, environments and files."""

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from bed.registry import Login

_PAUSE_SECONDS = 0.005
_SMALL_BYTES = 1 << 20


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
        self._began = time.time_ns()
        self._seen: set[tuple[Path, int, int]] = set()

    def look(self, largest: int | None = None) -> None:
        """Read every process, and every file created or changed since the watch began.

        Args:
            largest: Bytes above which a file is left for later; None for no limit.
        """
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                self._look_at_process(process)
        for folder in self._folders:
            for path in _files(folder):
                self._look_at_file(path, largest)

    def _look_at_process(self, process: Path) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            name = (process / "comm").read_text().rstrip()
            for kind, file in (("argv", "cmdline"), ("environment", "environ")):
                if self._has_secret((process / file).read_bytes()):
                    self.found.add(f"{kind} of {process.name} ({name})")
            self.processes.add(name)

    def _look_at_file(self, path: Path, largest: int | None) -> None:
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            state = (path, status.st_mtime_ns, status.st_size)
            too_large = largest is not None and status.st_size > largest
            # A file's ctime is when it got here; its mtime can be any time.
            if status.st_ctime_ns < self._began or state in self._seen or too_large:
                return
            self._seen.add(state)
            self.files.add(path)
            if self._has_secret(path.read_bytes()):
                self.found.add(str(path))

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


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path
