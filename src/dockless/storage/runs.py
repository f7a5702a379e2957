"""The running pushes: their folders, and the checks when one starts.

Blobs may not be on the disk yet when a push ends. Each has a mark then, an empty file
`BOOT.ALGORITHM.HEX`: a later push flushes it, or compares it after a crash of the machine.
"""

import contextlib
import functools
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from dockless.errors import LostCopyError, UsageError
from dockless.oci.digest import Digest
from dockless.processes.regular import open_regular
from dockless.storage.disk_errors import FULL, no_space
from dockless.storage.folders import (
    clear,
    is_inside,
    is_regular,
    listed,
    make_below,
    remove,
    try_making,
)
from dockless.storage.locks import lock_file
from dockless.storage.store_folder import claim, has_first_lock
from dockless.storage.store_names import is_ours, is_run

_TRIES = 5
_WRITTEN_BY_THEN_SECONDS = 60  # Linux writes by itself after 30 (vm.dirty_expire_centisecs)


class Runs:
    """The runs in a store's folder.

    Args:
        folder: The store's folder.
        older: The folder in which version 0.1.0 kept the store; None for none.

    Attributes:
        until: The moment, on the clock of `time.monotonic`, when waiting for the locks of others
            ends; None for none.
    """

    def __init__(self, folder: Path, older: Path | None) -> None:
        self.until: float | None = None
        self._folder = folder
        self._older = older
        self._runs = folder / "runs"
        self._locks = folder / "locks"
        self._held: dict[Path, IO[bytes]] = {}
        self._turn = threading.Lock()

    def lock(self, name: str, *, wait: bool = True) -> IO[bytes]:
        """Wait until no other process has this lock; closing the file ends it.

        Raises:
            BlockingIOError: Another process has it, and it is not waited for.
            OSError: It cannot be made.
            NetworkError: `until` has come.
        """
        make_below(self._folder, self._locks)
        clear(self._locks / name)
        return lock_file(self._locks / name, wait=wait, until=self.until)

    def open(self) -> None:
        """Make the store's folder, or see that it is one and this user's; move what is older there.

        Links in the place of its folders are removed: nothing is read or deleted through them.

        Raises:
            UsageError: Others may write to it, or dockless did not make it.
            OSError: It cannot be made.
        """
        claim(self._folder)
        if self._older and self.has_older():
            from dockless.storage.older_store import migrate  # noqa: PLC0415 - once, as a rule

            with self.lock("older"):
                migrate(self._older, self._folder)

    def has_older(self) -> bool:
        """Whether a store of version 0.1.0 is there, which made this lock with its first run."""
        return self._older is not None and has_first_lock(self._older)

    def new(self) -> Path:
        """Return the folder of a new run, which `begin` makes."""
        return self._runs / f"{os.getpid()}-{os.urandom(4).hex()}"

    def begin(self, folder: Path, settle: Callable[[], None]) -> None:
        """Make the folder of a new run, and lock it.

        Args:
            folder: The folder; `end` removes it, whether or not this came to an end.
            settle: What is to be done while no other run begins.

        Raises:
            UsageError: Others may write to the store's folder.
            OSError: It cannot be made.
        """
        for last in (*[False] * _TRIES, True):
            try:
                self.open()
                with self.lock("runs"):  # or another's sweep could meet a folder before its lock
                    sweep(self._runs)
                    settle()
                    self._hold(folder)
            except FileNotFoundError:  # another process deletes the store at this moment
                if last:
                    raise
            else:
                break

    def end(self, folder: Path) -> None:
        """Remove the folder of a run; where that is not possible now, the next run does it."""
        held = self._held.pop(folder, None)  # none of a run whose begin was broken off
        try:
            with contextlib.suppress(OSError):
                if is_inside(self._folder, folder):
                    _remove(folder)
        finally:
            if held:  # one that could not be made again is closed already
                held.close()

    def renew(self) -> None:
        """Make the folders of this process's runs again, if they were deleted.

        Raises:
            UsageError: Others may write to the store's folder.
            OSError: They cannot be made.
        """
        with self._turn:
            for folder in [each for each in self._held if not (each / "lock").exists()]:
                with self.lock("runs"):
                    self._held[folder].close()
                    self._hold(folder)

    def oldest(self) -> float:
        """Sweep; return when the oldest run that is going on began, as `sweep` does."""
        if self._runs.is_symlink() or not self._runs.is_dir():
            return float("inf")
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.lock("runs"))
            except OSError as error:
                if error.errno not in FULL:  # where nothing can be made, no run begins
                    raise
            return sweep(self._runs)

    def _hold(self, folder: Path) -> None:
        make_below(self._folder, folder)
        self._held[folder] = lock_file(folder / "lock")


def sweep(runs: Path) -> float:
    """Remove the folders of runs that were killed; whatever else is there is kept.

    Returns:
        When the oldest running one started, in seconds since 1970; infinity for none.
    """
    began = float("inf")
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for folder in listed(runs):
            try:
                if is_regular(folder) or not is_ours(folder):
                    continue
                if not folder.is_symlink() and folder.is_dir():
                    if not is_run(folder):
                        continue
                    clear(folder / "lock")
                else:  # a FIFO, or a link, through which nothing must be changed
                    folder.unlink()
                    continue
                with lock_file(folder / "lock", wait=False):
                    _remove(folder)
            except BlockingIOError:
                with contextlib.suppress(OSError):
                    began = min(began, (folder / "lock").lstat().st_mtime)
            except OSError:  # no folder, or one that its run has just removed
                pass
    return began


def _remove(folder: Path) -> None:
    """Remove the folder of a run, its lock last: without it a folder is not known to be one."""
    for path in listed(folder):
        if path.name != "lock":
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Turn the OSError of a store's folder into an error with a remedy.

    Raises:
        UsageError: It cannot be used.
        PushError: Its disk is full.
        LostCopyError: It, or what is in it, was deleted in the meantime.
    """
    try:
        yield
    except OSError as error:
        if _was_deleted(error, folder):
            raise LostCopyError(
                f"The store {folder}, or what is in it, was deleted during the run.",
                "Run it again, once nothing deletes files there.",
            ) from None
        raise no_space(error, folder) or UsageError(
            f"The store {folder} cannot be used: {error.strerror}.",
            "Set DOCKLESS_CACHE_DIR to a folder that this user may write to.",
        ) from None


def _was_deleted(error: OSError, folder: Path) -> bool:
    """Whether a file that is not there was deleted: where a folder cannot be made, it never was."""
    if not isinstance(error, FileNotFoundError | FileExistsError):
        return False
    if isinstance(error, FileExistsError) and os.path.lexists(str(error.filename or folder)):
        return False
    for _ in range(_TRIES):
        try:
            try_making(folder)
        except FileNotFoundError:  # deleted again; or /proc, in which nothing is made
            continue
        except OSError:
            break
        return True
    return False


@functools.cache
def boot() -> str:
    """Return what tells this boot of the machine from others; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def mark_of(folder: Path, digest: Digest) -> Path:
    """Return the mark of a blob that was written during this boot."""
    return folder / f"{boot()}.{digest.algorithm}.{digest.hex}"


def settle(folder: Path, place: Callable[[Digest], Path]) -> None:
    """Flush or verify every blob that an earlier push left to the system to write.

    Other files, such as those of NFS and macOS, are kept; what fails is left for the next
    push.

    Args:
        folder: The marks.
        place: Says where a blob is.
    """
    for mark in listed(folder):
        try:
            written_by, algorithm, name = mark.name.split(".")
            digest = Digest.parse(f"{algorithm}:{name}")
        except ValueError:
            continue
        with contextlib.suppress(OSError):
            with contextlib.suppress(FileNotFoundError):
                if written_by != boot():
                    if not _is(place(digest), digest):
                        place(digest).unlink()
                elif time.time() - mark.stat().st_mtime < _WRITTEN_BY_THEN_SECONDS:
                    continue
                else:
                    flush(place(digest))
            remove(mark)


def flush(path: Path) -> None:
    """Have the system write a file to the disk."""
    with open_regular(path, follow=False) as file:
        os.fsync(file.fileno())


def _is(path: Path, digest: Digest) -> bool:
    with open_regular(path, follow=False) as file:
        return hashlib.file_digest(file, digest.algorithm).hexdigest() == digest.hex
