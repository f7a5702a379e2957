"""Temporary folders: removed with the work, or, where that was killed, by the next run.

A folder belongs to a living process as long as the file `lock` in it is locked: the system frees it
however the process ends. It gets its name only when it is locked, so that a sweep meets no
folder between the two.
"""

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = "lock"
_DRAFT = "lock.new"
_RANDOM = "[a-z0-9_]{8}"  # what tempfile.mkdtemp adds to a prefix
_BEGUN_SECONDS = 3600.0


@contextlib.contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new private folder that is removed with the block.

    Those of the same prefix that belong to no living process are removed first.

    Args:
        parent: The folder it is made in.
        prefix: What its name begins with.

    Raises:
        OSError: It cannot be made.
    """
    sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        with owned(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def owned(folder: Path, name: str = _LOCK) -> Iterator[None]:
    """Mark a folder as one of this process while the block lasts.

    Args:
        folder: The folder.
        name: The file in it that is locked; it is gone with the block.

    Raises:
        OSError: The file cannot be written.
    """
    draft, lock = folder / f"{name}.new", folder / name
    descriptor = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        with contextlib.suppress(OSError):  # a file system that has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.replace(lock)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def abandoned(folder: Path, name: str = _LOCK) -> bool:
    """Whether a folder was marked by a process that has ended without removing the mark."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(folder / name, flags)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size:  # the mark is an empty file
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def sweep(parent: Path, prefix: str) -> None:
    """Remove this user's folders of a prefix that belong to no living process.

    Only names that `scratch` gives count: others, such as `.out.tar.backup-of-may`, are the user's.
    """
    made = re.compile(re.escape(prefix) + _RANDOM)
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if not made.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
                continue
            folder = Path(entry.path)
            with contextlib.suppress(OSError):
                mine = entry.stat(follow_symlinks=False).st_uid == os.geteuid()
                if mine and (abandoned(folder) or _never_begun(folder)):
                    shutil.rmtree(folder, ignore_errors=True)


def _never_begun(folder: Path) -> bool:
    """Whether its process was killed before the folder was marked: it holds nothing else yet."""
    if any(each.name != _DRAFT for each in folder.iterdir()):
        return False
    return time.time() - folder.stat().st_mtime > _BEGUN_SECONDS
