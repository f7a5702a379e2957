"""Private folders of this user, the locks in them, and errors of a full disk."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dockless.errors import LostCopyError, NetworkError, PushError, UsageError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a file system says when no byte, or no further file, fits."""

_FAILING = frozenset({errno.EIO, errno.EROFS, errno.EFBIG})
_NOT_ALLOWED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_LOCK_TRIES = 10
_MAKE_TRIES = 10
_LOOK_SECONDS = 0.05
_FLAT = ("heads", "journals", "layers", "links", "locks", "programs", "unflushed")
"""Folders of a store in which there are files only."""

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def unfit(folder: Path) -> str:
    """Return why a folder is not this user's alone, to be said after its name; empty when it is.

    Raises:
        OSError: It is not there, or may not be looked at.
    """
    status = folder.lstat()
    user = os.geteuid()
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "is not a folder"
    if status.st_uid != user:
        return f"belongs to uid {status.st_uid}, and this user is uid {user}"
    if status.st_mode & _OTHERS_MAY_WRITE:
        return f"is writable by others (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def own_folder(folder: Path) -> None:
    """Make a folder for this user alone, or see that it is that.

    Only the folder itself is looked at: what it lies in may be anybody's, as an `emptyDir` of
    Kubernetes is, which belongs to root and has mode 0777.

    Raises:
        UsageError: Others may write to it, or could have.
        OSError: It cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        why = f"{folder.parent} is not a folder, or is below a broken symbolic link"
        raise NotADirectoryError(errno.ENOTDIR, why) from None
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if why := unfit(folder):
        raise UsageError(
            f"The store {folder} cannot be trusted: it {why}.",
            "Delete it, or set DOCKLESS_CACHE_DIR to another folder.",
        )


def try_making(folder: Path) -> None:
    """Check that a missing folder can be created, by creating another one and removing it.

    Permissions are not enough: root appears to have write access to /proc, but can create nothing
    there.

    Raises:
        OSError: It cannot be made.
    """
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    trial = there / f".trial-{os.urandom(4).hex()}"
    trial.mkdir(mode=0o700)
    trial.rmdir()


def make_below(top: Path, folder: Path) -> None:
    """Make a folder inside one of this user's own; deleted parents are made again."""
    if folder == top:
        own_folder(top)
        return
    if folder.parent != top:
        unlink_folder_link(top / folder.relative_to(top).parts[0])
    unlink_folder_link(folder)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:  # a file, a FIFO, or a broken symbolic link
        remove(folder)
        folder.mkdir(mode=0o700, exist_ok=True)
    except (FileNotFoundError, NotADirectoryError):
        make_below(top, folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def make_own(folder: Path) -> None:
    """Make a folder, with those above it, that may be there; it may be deleted at any moment.

    Raises:
        FileNotFoundError: It was deleted again, repeatedly.
        OSError: It cannot be made.
    """
    for _ in range(_MAKE_TRIES):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError:
            if os.path.lexists(folder) and not folder.is_dir():
                raise
            # else it was there, and was deleted before it was looked at
        except FileNotFoundError:
            pass
        else:
            return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def unlink_folder_link(folder: Path) -> None:
    """Remove a symbolic link in the place of a folder of the store; what it leads to stays.

    Raises:
        OSError: That is not possible.
    """
    if folder.is_symlink():
        with contextlib.suppress(FileNotFoundError):
            folder.unlink()


def unlink_folder_links(store: Path) -> None:
    """Remove every symbolic link in the place of a folder of a store; what they lead to stays.

    Raises:
        OSError: That is not possible.
    """
    for name in ("blobs", "runs", *_FLAT):
        unlink_folder_link(store / name)
    for folder in listed(store / "blobs"):
        unlink_folder_link(folder)


def is_inside(store: Path, path: Path) -> bool:
    """Whether a path below a store is reached through no symbolic link from there."""
    return path.is_relative_to(store) and not any(
        folder.is_symlink() for folder in path.parents if store in folder.parents
    )


def lock_file(path: Path, *, wait: bool = True, until: float | None = None) -> IO[bytes]:
    """Return a file that is locked until it is closed; no link is followed, and nothing changed.

    Args:
        path: The file; made if it is not there.
        wait: Whether to wait for another holder.
        until: The moment, on the clock of `time.monotonic`, when waiting ends; None for none.

    Raises:
        BlockingIOError: Another process has it, and it is not waited for.
        OSError: It is a link or a folder, or cannot be made.
        NetworkError: `until` has come.
    """
    left = _LOCK_TRIES
    while True:
        left -= 1
        lock = open(path, "r+b", opener=_open)  # noqa: SIM115 - whoever locks closes it
        try:
            if wait:
                _wait_for(lock, until)
            else:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # a deleted one locks nobody out; some file systems assign new inode numbers
            if not left or _is_at(path, lock):
                return lock
        except BaseException:
            lock.close()
            raise
        lock.close()


def _wait_for(lock: IO[bytes], until: float | None) -> None:
    """Wait until a lock is ours; a signal ends that, and so does `until`.

    Raises:
        NetworkError: That moment has come.
    """
    if until is None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() >= until:
            raise NetworkError(
                "Another dockless process is working on the same data and did not finish within "
                "--timeout.",
                "Wait for it, or give it more time.",
                passing=False,
            )
        time.sleep(_LOOK_SECONDS)


def _is_at(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _open(path: str, flags: int) -> int:
    # a FIFO that is opened for reading and writing waits for nobody, and Linux lets that be done
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return descriptor


@contextlib.contextmanager
def full_disk(folder: Path, *, below: bool = False) -> Iterator[None]:
    """Turn errors of a full or failing disk into a PushError; other errors pass.

    Args:
        folder: What is on that disk, for the message.
        below: Whether only files that are known to lie in that folder count.

    Raises:
        PushError: No byte, or no further file, fits, or the disk takes none.
    """
    try:
        yield
    except OSError as error:
        elsewhere = below and not Path(str(error.filename)).is_relative_to(folder)
        if elsewhere or error.errno not in FULL | _FAILING:
            raise
        if error.errno == errno.EFBIG:
            raise PushError(
                f"A file in {folder} would be larger than files may be: {error.strerror}.",
                "Raise the limit (ulimit -f), or set DOCKLESS_CACHE_DIR to a folder of another "
                "file system.",
            ) from None
        raise no_space(error, folder) or PushError(
            f"Nothing can be written to {folder}: {error.strerror}.",
            "Check the disk, or set DOCKLESS_CACHE_DIR to a folder on another one.",
        ) from None


@contextlib.contextmanager
def deleted_meanwhile(folder: Path) -> Iterator[None]:
    """Raise LostCopyError when another process deletes what is in use in a folder.

    Raises:
        LostCopyError: A file or folder below it is not there any more.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.filename is None or not Path(str(error.filename)).is_relative_to(folder):
            raise
        raise LostCopyError(
            f"{error.filename} was deleted during the run.", "Run it again."
        ) from error


def no_space(error: OSError, folder: Path) -> PushError | None:
    """Return the error for a full disk; None for another OSError."""
    if error.errno not in FULL:
        return None
    return PushError(
        f"There is no space left in {folder}.",
        "Free some, run 'dockless cache prune', or set DOCKLESS_CACHE_DIR to another disk.",
    )


def is_regular(path: Path) -> bool:
    """Whether a file is there that is one, and no FIFO, device, folder or link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def clear(path: Path) -> None:
    """Remove what stands in the place of a file of the store, and is none.

    Raises:
        OSError: That is not possible.
    """
    if os.path.lexists(path) and not is_regular(path):
        remove(path)


def remove(path: Path) -> None:
    """Remove whatever is there of the store: a folder goes with all that is in it.

    Raises:
        OSError: That is not possible.
    """
    if stat.S_ISDIR(path.lstat().st_mode):
        shutil.rmtree(path)
    else:
        path.unlink()


def rename(draft: Path, path: Path) -> None:
    """Give a draft its name, whatever stands there.

    Raises:
        OSError: That is not possible.
    """
    try:
        draft.replace(path)
    except IsADirectoryError:
        remove(path)
        draft.replace(path)


def deleted(path: Path) -> bool:
    """Delete a file of the store, unless something that does not matter stands against it.

    Raises:
        OSError: This user may delete nothing there.
    """
    try:
        remove(path)
    except OSError as error:
        if error.errno in _NOT_ALLOWED:
            raise
        return False
    return True


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing where there is none, or a symbolic link."""
    try:
        return [] if folder.is_symlink() else list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Return the files in a folder, but for what another push deletes at this moment."""
    found = []
    for path in listed(folder):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found.append((path, status))
    return found


def strays(store: Path) -> Iterator[Path]:
    """Yield what is in a store and dockless never made: there are folders and regular files."""
    for folder in (store, store / "blobs"):
        yield from _odd(folder, folders=True)
    for folder in (*listed(store / "blobs"), *(store / name for name in _FLAT)):
        yield from _odd(folder)


def _odd(folder: Path, *, folders: bool = False) -> list[Path]:
    """Return the entries of a folder that are not regular files, nor expected folders."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            return [
                Path(each.path)
                for each in entries
                if not each.is_file(follow_symlinks=False)
                and not (folders and each.is_dir(follow_symlinks=False))
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
