"""The folders of this user, also where the user has no home: in containers many have no name."""

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from dockless.model.errors import UsageError

_ROOT = Path("/")


def home_folder() -> Path:
    """Return the user's home; the root folder for a user who has none, as docker takes it."""
    try:
        return Path.home()
    except RuntimeError:
        return _ROOT


def working_folder() -> Path | None:
    """Return the folder that this process is in; None where it was removed."""
    try:
        return Path.cwd()
    except OSError:
        return None


def data_folder() -> Path:
    """Return the folder of dockless's data; one that is not there for a user without a home."""
    try:
        return platformdirs.user_data_path("dockless")
    except RuntimeError:
        return _ROOT / "nonexistent"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the store of staged layers; `DOCKLESS_CACHE_DIR` moves it.

    A user without a home, or with one that cannot be written to, as in many containers, has it
    where temporary files are.

    Raises:
        UsageError: It is not moved, and there is no folder that this user may write to.
    """
    if moved := environment.get("DOCKLESS_CACHE_DIR", ""):
        return Path(moved)
    with contextlib.suppress(RuntimeError):
        folder = platformdirs.user_cache_path("dockless")
        # older versions of platformdirs leave a `~` where there is no home
        if folder.is_absolute() and _may_write(folder):
            return folder
    for parent in temporary_folders(environment):
        folder = parent / f"dockless-{os.getuid()}"
        if _is_ours(folder):
            return folder
    raise UsageError(
        "There is no folder for the store of layers that this user may write to.",
        "Set DOCKLESS_CACHE_DIR to one.",
    )


def temporary_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where temporary files may be; the last is there in containers that are read-only."""
    named = environment.get("TMPDIR", "")
    return tuple(map(Path, filter(os.path.isabs, (named, "/tmp", "/var/tmp", "/dev/shm"))))  # noqa: S108 - see `_is_ours`


def temporary_folder(environment: Mapping[str, str]) -> Path:
    """Return the first folder for temporary files that this user may write to; else the usual."""
    folders = temporary_folders(environment)
    return next(filter(_may_write, folders), folders[0])


def _may_write(folder: Path) -> bool:
    """Whether a folder can be written to, or made."""
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError:  # in a folder that this user may not look into
        return False
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _is_ours(folder: Path) -> bool:
    """Whether a folder in one that everybody may write to is made by us now, or was, and kept."""
    with contextlib.suppress(OSError):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        return private and status.st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK)
    return False
