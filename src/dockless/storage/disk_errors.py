"""Errors of a disk that is full or fails, and of files that another process deletes."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from dockless.errors import DiskError, LostCopyError, PushError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The errors of a file system that has no space for another byte or file."""

_FAILING = frozenset({errno.EIO, errno.EROFS, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


@contextlib.contextmanager
def full_disk(folder: Path, *, below: bool = False) -> Iterator[None]:
    """Turn errors of a full, failing or closed disk into a PushError; other errors pass.

    Args:
        folder: What is on that disk, for the message.
        below: Whether only files that are known to lie in that folder count.

    Raises:
        PushError: No byte, or no further file, fits, or the disk takes none; or what lies in the
            folder may not be used any more.
    """
    try:
        yield
    except OSError as error:
        inside = below and Path(str(error.filename)).is_relative_to(folder)
        if inside and error.errno in _DENIED:
            raise PushError(
                f"There is no longer permission to use {error.filename}.",
                "Restore it, or set DOCKLESS_CACHE_DIR to another folder, and run it again.",
            ) from None
        if (below and not inside) or error.errno not in FULL | _FAILING:
            raise
        if error.errno == errno.EFBIG:
            raise DiskError(
                f"A file in {folder} would be larger than files may be: {error.strerror}.",
                "Raise the limit (ulimit -f), or set DOCKLESS_CACHE_DIR to a folder of another "
                "file system.",
            ) from None
        raise no_space(error, folder) or DiskError(
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


def no_space(error: OSError, folder: Path) -> DiskError | None:
    """Return the error for a full disk; None for another OSError."""
    if error.errno not in FULL:
        return None
    return DiskError(
        f"There is no space left in {folder}.",
        "Free some, run 'dockless cache prune', or set DOCKLESS_CACHE_DIR to another disk.",
    )
