"""The folder of a store: made and marked by dockless, and private to its user.

A folder that dockless did not make is never taken for a store: `DOCKLESS_CACHE_DIR=/run/user` would
name the sockets of the user's session. Each store has a mark, which also keeps backups from copying
it. Older versions made none: their stores are known by their first lock, or by having nothing in
them but what dockless makes.
"""

import contextlib
import json
import os
import stat
from pathlib import Path

from dockless.errors import UsageError
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import read_regular
from dockless.storage.drafts import write_draft
from dockless.storage.folders import files, listed, own_folder, unlink_folder_link
from dockless.storage.store_names import ALGORITHMS, FOLDERS, MARK, is_ours, is_run, is_stray

_MARK = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder was made by dockless, which keeps staged image layers in it.
# See https://bford.info/cachedir/
"""
_IS_DOCKLESS = b"made by dockless"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_UNFINISHED = stat.S_ISVTX
"""Set on a folder whose content is distrusted, until that is done."""

_SEALED = ("layers",)
_DROPPED = ("heads", "journals", "links", "programs")


def claim(store: Path) -> None:
    """Make a store's folder, or see that dockless made it; see that others cannot reach into it.

    Links in the place of its folders are removed. What others may have written is distrusted: the
    records of layers count as those of version 0.1.0, whose blobs are inflated and compared before
    they are used, and other records are dropped.

    Raises:
        UsageError: It is another folder, or others may write to it, or to a folder in it.
        OSError: It cannot be made or used.
    """
    marked = _is_marked(store)
    if not marked:
        refuse_other_folders(store)
    own_folder(store)
    if store.lstat().st_mode & _OTHERS:
        _close(store)
    if not marked:
        with contextlib.suppress(OSError):  # a full disk: it is known by what is in it, too
            write_draft(store / MARK, _MARK.encode())
    for name in FOLDERS:
        _secure(store / name)
    for folder in listed(store / "blobs"):
        if folder.name in ALGORITHMS:
            _secure(folder)


def refuse_other_folders(store: Path) -> None:
    """See that a folder is a store, or empty, or not there; nothing is changed.

    Raises:
        UsageError: It is another folder.
        OSError: It cannot be read.
    """
    other = foreign(store)
    if other:
        raise UsageError(
            f"{store} is not a store of dockless: it has {other}, which dockless did not make.",
            "Set DOCKLESS_CACHE_DIR to another folder, or move what is in that one.",
        )


def foreign(store: Path) -> str:
    """Return something in a folder that shows that dockless did not make it; empty for none.

    Raises:
        OSError: It cannot be read.
    """
    if not store.is_dir() or store.is_symlink() or _is_marked(store) or has_first_lock(store):
        return ""
    for path in listed(store):
        if is_stray(path.name):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            other = _foreign_in(path)
            # another process may have made and marked the store meanwhile
            if other and os.path.lexists(other) and not _is_marked(store):
                return str(other.relative_to(store))
    return ""


def has_first_lock(store: Path) -> bool:
    """Whether a folder has the lock that every version makes with the first run in a store."""
    try:
        status = (store / "locks" / "runs").lstat()
    except OSError:
        return False
    is_lock = stat.S_ISREG(status.st_mode) and status.st_size == 0
    return is_lock and not (store / "locks").is_symlink()


def _is_marked(store: Path) -> bool:
    try:
        return _IS_DOCKLESS in read_regular(store / MARK, follow=False)
    except OSError:
        return False


def _foreign_in(path: Path) -> Path | None:
    """Return what dockless did not make of an entry of a store, or in it."""
    if path.name == MARK and _is_empty(path):  # where it was half written, or something odd
        return None
    if path.name not in FOLDERS or not path.is_dir() or path.is_symlink():
        return path
    for each in listed(path):
        if is_stray(each.name):
            continue
        if path.name == "blobs":
            odd = (file for file in listed(each) if not (is_stray(file.name) or is_ours(file)))
            if other := next(odd, None):
                return other
            known = each.is_dir() and not each.is_symlink()
        else:
            known = is_run(each) if path.name == "runs" else is_ours(each)
            if path.name == "locks":
                known = known and _is_empty(each)
        if not known:
            return each
    return None


def _is_empty(path: Path) -> bool:
    """Whether nothing is in a file or folder, or it is another kind of thing."""
    status = path.lstat()
    if stat.S_ISREG(status.st_mode):
        return status.st_size == 0
    return not stat.S_ISDIR(status.st_mode) or not any(path.iterdir())


def _secure(folder: Path) -> None:
    """See that only this user can have written to a folder of a store, or distrust its content."""
    try:
        status = folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISLNK(status.st_mode):
        unlink_folder_link(folder)
    elif stat.S_ISDIR(status.st_mode):
        if status.st_uid != os.geteuid():
            raise UsageError(
                f"The store cannot be trusted: {folder} belongs to uid {status.st_uid}, and this "
                f"user is uid {os.geteuid()}.",
                "Delete that folder, or set DOCKLESS_CACHE_DIR to another one.",
            )
        if status.st_mode & (_OTHERS | _UNFINISHED):
            _distrust(folder, everything=bool(status.st_mode & (_OTHERS_MAY_WRITE | _UNFINISHED)))


def _distrust(folder: Path, *, everything: bool) -> None:
    """Close a folder to others, and distrust its content, or what others may write of that.

    One that is killed meanwhile leaves the folder marked, and the next process does all of it.
    """
    if everything:
        _close(folder, _UNFINISHED)
    if folder.name in _SEALED + _DROPPED:
        for path, status in files(folder):
            written = status.st_uid != os.geteuid() or bool(status.st_mode & _OTHERS_MAY_WRITE)
            if everything or written:
                _distrust_file(path)
    _close(folder)


def _close(folder: Path, more: int = 0) -> None:
    with contextlib.suppress(OSError):  # a file system without modes
        folder.chmod(stat.S_IMODE(folder.lstat().st_mode) & ~(_OTHERS | _UNFINISHED) | more)


def _distrust_file(path: Path) -> None:
    """Take the seal from a record of a layer; remove another record."""
    with contextlib.suppress(FileNotFoundError):
        if path.parent.name in _SEALED:
            try:
                entry = parse_json(read_regular(path, follow=False))
                if isinstance(entry, dict):
                    entry.pop("sum", None)
                    # a new file: others may have the old one open
                    write_draft(path, json.dumps(entry).encode())
                    return
            except (ValueError, OSError):
                pass
        path.unlink()
