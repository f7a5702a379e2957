"""Giving a file a second name, without writing its bytes again where the file system can.

Engines refuse a layout in which a blob is a symbolic link (crane from 0.21.7 on,
go-containerregistry #2306), so files are placed by link(2), else as a reflink, else as a copy.
"""

import errno
import fcntl
import os
import shutil
import sys
from pathlib import Path

from dockless.model.timings import Timings
from dockless.storage.drafts import draft_of

_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)
_CHUNK = 1 << 20
_NO_CASE_FOR_A_COPY = frozenset({errno.EEXIST, errno.ENOENT, errno.ENOSPC, errno.EDQUOT})


def place(source: Path, target: Path, timings: Timings | None = None) -> None:
    """Make `target` a file with the bytes of `source`.

    `target` must not exist, and gets its name only when it is whole. Links are refused across file
    systems, by some file systems across folders (AFS, BeeGFS), and by Linux for files of other
    users (`fs.protected_hardlinks`); these are cloned or copied, readable for this user alone.

    Args:
        source: A file, or a symbolic link to one.
        target: Its new name.
        timings: Gets the seconds that copying takes; nothing where no byte is copied.

    Raises:
        FileExistsError: `target` exists.
        OSError: The file cannot be read or written, or there is no space.
    """
    source = source.resolve()  # link(2) would make a second link, and not a second file
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in _NO_CASE_FOR_A_COPY:
            raise
        with source.open("rb") as read, draft_of(target) as (descriptor, draft):
            os.fchmod(descriptor, 0o600)
            if not _cloned(read.fileno(), descriptor):
                with (
                    (timings or Timings()).of("copy"),
                    os.fdopen(descriptor, "wb", closefd=False) as written,
                ):
                    shutil.copyfileobj(read, written, _CHUNK)
            draft.replace(target)


def _cloned(read: int, written: int) -> bool:
    """Share the blocks of a file with a new one, as Btrfs and XFS can (ioctl_ficlone(2))."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(written, _FICLONE, read)
    except OSError:
        return False
    return True
