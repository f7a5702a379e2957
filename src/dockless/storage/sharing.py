"""How a file system can share the bytes of two files."""

import fcntl
import os
import tempfile
from pathlib import Path

from msgspec import Struct

_FICLONE = 0x40049409  # ioctl_ficlone(2)


class Sharing(Struct, frozen=True):
    """How files of one folder can share their bytes.

    Attributes:
        hard_links: Whether a file can have a second name, in another folder; None when unknown.
        reflinks: Whether a file can be cloned; None when unknown.
    """

    hard_links: bool | None
    reflinks: bool | None


# by the name in /proc/self/mountinfo; what is not listed here is unknown
_KNOWN = {
    "btrfs": Sharing(hard_links=True, reflinks=True),
    "ext2": Sharing(hard_links=True, reflinks=False),
    "ext3": Sharing(hard_links=True, reflinks=False),
    "ext4": Sharing(hard_links=True, reflinks=False),
    "f2fs": Sharing(hard_links=True, reflinks=False),
    "tmpfs": Sharing(hard_links=True, reflinks=False),
    "xfs": Sharing(hard_links=True, reflinks=None),
    "zfs": Sharing(hard_links=True, reflinks=None),
    "overlay": Sharing(hard_links=True, reflinks=None),
    "nfs": Sharing(hard_links=True, reflinks=False),
    "nfs4": Sharing(hard_links=True, reflinks=None),
    "vfat": Sharing(hard_links=False, reflinks=False),
    "exfat": Sharing(hard_links=False, reflinks=False),
    # links between files of one folder only
    "afs": Sharing(hard_links=False, reflinks=False),
    "beegfs": Sharing(hard_links=False, reflinks=None),
}


def likely(kind: str) -> Sharing:
    """Return what a file system of this kind is known to do."""
    return _KNOWN.get(kind, Sharing(None, None))


def tried(folder: Path) -> Sharing:
    """Return what a folder's file system does, tried with files that are gone afterwards.

    Raises:
        OSError: No file can be made there.
    """
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as made:
        first, second = Path(made, "first"), Path(made, "second")
        first.mkdir()
        second.mkdir()
        (first / "file").write_bytes(b"dockless")
        return Sharing(
            _links(first / "file", second / "link"), _clones(first / "file", second / "clone")
        )


def _links(file: Path, name: Path) -> bool:
    try:
        os.link(file, name)
    except OSError:
        return False
    return True


def _clones(file: Path, name: Path) -> bool:
    try:
        with file.open("rb") as source, name.open("wb") as copy:
            fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True


def kind_of(folder: Path, mounts: str) -> str:
    """Return the kind of file system that a folder is on; empty when that is not known.

    Args:
        folder: An absolute path without symbolic links.
        mounts: What `/proc/self/mountinfo` has (proc_pid_mountinfo(5)).
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) <= _MOUNT_POINT or not after:
            continue
        point = Path(fields[_MOUNT_POINT].encode().decode("unicode_escape"))
        # of two on one place the later one is what is seen
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


_MOUNT_POINT = 4
