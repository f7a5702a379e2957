"""The folders of this user, also where the user has no home: in containers many have no name."""

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from dockless.errors import NoFolderError, UsageError

_ROOT = Path("/")
_VARIABLE = "DOCKLESS_CACHE_DIR"
_TOOLS = "DOCKLESS_TOOLS_DIR"
_SET = f"Set {_VARIABLE} to the absolute path of a folder."
_GONE = Path("/proc/self/cwd")  # the removed folder itself, in which nothing can be made
_FIRST_SEEN, _DELETE = 0x20, 0x7F


def home_folder() -> Path:
    """Return the user's home; the root folder for a user without one, as docker does."""
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


def source_folder() -> Path:
    """Return what relative paths start from; one with nothing in it where the current one is gone.

    So absolute paths can be used all the same, and relative ones lead nowhere.
    """
    return working_folder() or _GONE


def data_folder() -> Path:
    """Return the folder of dockless's data; one that is not there for a user without a home.

    An `XDG_DATA_HOME` that is not an absolute path is ignored: programs are taken from there.
    """
    try:
        folder = platformdirs.user_data_path("dockless")
        if _is_ignored(os.environ.get("XDG_DATA_HOME", "")):
            folder = Path.home() / ".local" / "share" / "dockless"
    except RuntimeError:
        return _ROOT / "nonexistent"
    return folder if folder.is_absolute() else _ROOT / "nonexistent"


def tools_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder that `DOCKLESS_TOOLS_DIR` names for engines; None where it is not set.

    Raises:
        UsageError: It is relative: programs are not taken from the current folder.
    """
    named = environment.get(_TOOLS, "")
    if named and not Path(named).is_absolute():
        raise UsageError(
            f"{_TOOLS} is {named!r}, and programs are not taken from the current folder.",
            f"Set {_TOOLS} to the absolute path of a folder.",
        )
    return Path(named) if named else None


def log_folder() -> Path:
    """Return the folder of dockless's logs.

    Raises:
        RuntimeError: This user has no home.
    """
    return platformdirs.user_log_path("dockless")


def _is_ignored(text: str) -> bool:
    """Whether a variable of the XDG base directories counts as not set."""
    return text != "" and not os.path.isabs(text)  # noqa: PTH117 - a text that may be no path


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the store of staged layers; `DOCKLESS_CACHE_DIR` moves it.

    A user without a home, or with one that cannot be written to, as in many containers, has it
    where temporary files are. An `XDG_CACHE_HOME` that is not an absolute path is ignored, as the
    XDG base directory specification wants it.

    Raises:
        UsageError: It is not moved, and there is no folder that this user may write to; or what
            moves it is not the path of a folder.
    """
    if moved := environment.get(_VARIABLE, ""):
        return _moved(moved)
    with contextlib.suppress(RuntimeError):
        folder = platformdirs.user_cache_path("dockless")
        if _is_ignored(environment.get("XDG_CACHE_HOME", "")):
            folder = Path.home() / ".cache" / "dockless"
        if why := _why_no_path(str(folder)):
            raise UsageError(f"The folder of the store is {str(folder)!r}, {why}.", _SET)
        # older versions of platformdirs leave a `~` where there is no home
        if folder.is_absolute() and _may_write(folder):
            return folder
    for parent in temporary_folders(environment):
        folder = parent / f"dockless-{os.getuid()}"
        if _is_ours(folder):
            return folder
    raise NoFolderError(
        "There is no folder for the store of layers that this user may write to.",
        "Set DOCKLESS_CACHE_DIR to one.",
    )


def _moved(text: str) -> Path:
    """Return the folder that `DOCKLESS_CACHE_DIR` names: relative ones begin at the current folder.

    A shell replaces `~`, `$HOME` and the like; where no shell has read the value, as in the files
    of services and containers, `~/` is the user's home, and the others would make folders of
    these names.

    Raises:
        UsageError: It is not the path of a folder, or begins at a folder that is gone.
    """
    why = _why_no_path(text)
    if not why and text.startswith("~") and text != "~" and not text.startswith("~/"):
        why = "and only ~/ is replaced, by this user's home"
    if why:
        raise UsageError(f"{_VARIABLE} is {text!r}, {why}.", _SET)
    try:
        if text.startswith("~"):
            return Path.home() / text[2:]
        return Path(text) if os.path.isabs(text) else Path.cwd() / text  # noqa: PTH117 - a text
    except (RuntimeError, OSError):
        start = (
            "this user has no home"
            if text.startswith("~")
            else "the current folder no longer exists"
        )
        raise UsageError(f"{_VARIABLE} is {text!r}, and {start}.", _SET) from None


def _why_no_path(text: str) -> str:
    """Return why text is not the path of a folder, as a relative clause; empty when it may be."""
    if text != text.strip():
        return "which begins or ends with a space"
    if any(ord(each) < _FIRST_SEEN or ord(each) == _DELETE for each in text):
        return "which has a control character in it"
    if "://" in text or text.startswith(("$", "%")):
        return "which is not the path of a folder"
    return ""


def temporary_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where temporary files may be; the last is there in containers that are read-only."""
    named = environment.get("TMPDIR", "")
    return tuple(map(Path, filter(os.path.isabs, (named, "/tmp", "/var/tmp", "/dev/shm"))))  # noqa: S108 - see `_is_ours`


def temporary_folder(environment: Mapping[str, str]) -> Path:
    """Return the first folder for temporary files that this user may write to; else the usual.

    The last one is the folder of the store, which a container may have as its only writable one.
    """
    folders = temporary_folders(environment)
    if found := next(filter(_may_write, folders), None):
        return found
    with contextlib.suppress(UsageError, OSError):
        folder = cache_folder(environment)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    return folders[0]


def _may_write(folder: Path) -> bool:
    """Whether a folder can be written to, or made."""
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError:  # in a folder that this user may not look into
        return False
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _is_ours(folder: Path) -> bool:
    """Whether a folder in a world-writable one was created by this user, now or before."""
    with contextlib.suppress(OSError):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        return private and status.st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK)
    return False
