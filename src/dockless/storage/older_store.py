"""Moving what version 0.1.0 kept in the folder that is now the parent of every user's store."""

import contextlib
import os
import stat
from pathlib import Path

from dockless.storage.folders import files, listed, make_below
from dockless.storage.runs import sweep
from dockless.storage.store_names import ALGORITHMS, is_ours

_PARTS = ("blobs", "heads", "journals", "layers", "links", "programs", "unflushed")
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_REACHABLE = stat.S_IRWXG | stat.S_IRWXO
_ALONE = float("inf")


def migrate(older: Path, store: Path) -> None:
    """Move an older store's files to their new place; leave them while an older run uses them.

    What is there already stays. Files that are not this user's, or may have been written by
    others, are not moved.

    Args:
        older: The older store's folder.
        store: The store's folder, which exists.

    Raises:
        OSError: Something cannot be moved.
    """
    private = _is_private(older)
    runs, locks = older / "runs", older / "locks"
    if _is_own(runs, private=private):
        if sweep(runs) != _ALONE:
            return
        _remove(runs)
    for name in _PARTS:
        if _is_own(older / name, private=private):
            _move(older / name, store / name, store, private=private)
    if _is_own(locks, private=private):
        for lock, status in files(locks):
            if not status.st_size:
                with contextlib.suppress(OSError):
                    lock.unlink()
        _remove(locks)


def _is_private(folder: Path) -> bool:
    """Whether only this user can have accessed the content of a folder."""
    status = folder.lstat()
    return status.st_uid == os.geteuid() and not status.st_mode & _REACHABLE


def _is_own(path: Path, *, private: bool) -> bool:
    """Whether a file or folder is this user's, and writable by no one else."""
    try:
        status = path.lstat()
    except OSError:
        return False
    real = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    return real and status.st_uid == os.geteuid() and (private or not status.st_mode & _WRITABLE)


def _move(source: Path, target: Path, store: Path, *, private: bool) -> None:
    make_below(store, target)
    for path in listed(source):
        known = is_ours(path) or (source.name == "blobs" and path.name in ALGORITHMS)
        if not known or not _is_own(path, private=private):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process prunes it
            if path.is_dir():
                _move(path, target / path.name, store, private=private)
            elif os.path.lexists(target / path.name):
                path.unlink()
            else:
                path.rename(target / path.name)
    _remove(source)


def _remove(folder: Path) -> None:
    """Remove a folder if nothing is left in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()
