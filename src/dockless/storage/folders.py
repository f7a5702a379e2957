"""Private folders of this user, and what stands in them."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from dockless.errors import UsageError
from dockless.storage.store_names import ALGORITHMS, FLAT, FOLDERS, is_ours

_NOT_ALLOWED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_MAKE_TRIES = 10
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

    Only the folder itself is looked at: its parent may belong to others, as an `emptyDir` of
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
        raise untrusted(folder, why)


def untrusted(folder: Path, why: str) -> UsageError:
    """Return the error for a folder that is not this user's alone."""
    return UsageError(
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
        from dockless.storage.store_folder import claim  # noqa: PLC0415 - which needs this module

        claim(top)
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


def is_inside(store: Path, path: Path) -> bool:
    """Whether a path below a store is reached through no symbolic link from there."""
    return path.is_relative_to(store) and not any(
        folder.is_symlink() for folder in path.parents if store in folder.parents
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
    """Return dockless's files in a folder, but for what another push deletes at this moment."""
    found = []
    for path in filter(is_ours, listed(folder)):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found.append((path, status))
    return found


def strays(store: Path) -> Iterator[Path]:
    """Yield what has a name of dockless's in a store, and is neither a folder nor a file of it."""
    for name in FOLDERS:
        path = store / name
        if os.path.lexists(path) and (path.is_symlink() or not (path.is_dir() or is_regular(path))):
            yield path
    folders = listed(store / "blobs")
    yield from (path for path in folders if path.is_symlink() and path.name in ALGORITHMS)
    for folder in (*folders, *(store / name for name in FLAT)):
        yield from _odd(folder)


def _odd(folder: Path) -> list[Path]:
    """Return the entries of a folder with names of dockless's that are not regular files."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            return [
                Path(each.path)
                for each in entries
                if not each.is_file(follow_symlinks=False) and is_ours(Path(each.path))
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
