"""Where the engines are: on PATH, or in the folder that dockless installs into."""

import grp
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

from dockless.processes.search import find_program, steps
from dockless.storage.user_folders import tools_folder


def own_folder(environment: Mapping[str, str], data: Path) -> Path:
    """Return the folder of dockless's own engines.

    Args:
        environment: The caller's; `DOCKLESS_TOOLS_DIR` names another folder.
        data: Where dockless keeps the user's data.

    Raises:
        UsageError: As `tools_folder`.
    """
    return (tools_folder(environment) or data / "tools" / "bin").absolute()


def candidates(name: str, search_path: str, own: Path) -> tuple[Path, ...]:
    """Return every program of this name, absolute, the one to be preferred first.

    Args:
        name: `crane` or `skopeo`.
        search_path: Folders as in PATH; the first hit in them counts.
        own: The folder of dockless's own engines.
    """
    found = (find_program(name, search_path), find_program(name, str(own.absolute())))
    return tuple(dict.fromkeys(Path(path) for path in found if path))


def distrust(program: Path, own: Path) -> str:
    """Return why a program in the folder of dockless's own is not to be run; empty for others.

    Programs that others can write there would be run as this user, although the folder is not on
    PATH.

    Args:
        program: The program.
        own: The folder of dockless's own engines.
    """
    if program.parent != own:
        return ""
    target = program.resolve()
    for path in (own, target, *((target.parent,) if program.is_symlink() else ())):
        if why := others_may_write(path):
            return f"{path} {why}, so {program} is not run."
    for path in (*steps(own), *steps(program)):
        if path not in (own, program, target) and (why := _others_may_replace(path)):
            return f"{path} {why}, so {program} is not run."
    return ""


def _others_may_replace(path: Path) -> str:
    """Return who else may put something in the place of what is in a folder, or of a link.

    In a folder with the sticky bit, such as /tmp, only who owns a file or a link may.
    """
    try:
        found = path.lstat()
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if stat.S_ISLNK(found.st_mode) or sticky:
        mine = found.st_uid in (0, os.geteuid())
        return "" if mine else f"belongs to another user (uid {found.st_uid})"
    return others_may_write(path)


def others_may_write(path: Path) -> str:
    """Return who else may write to a file or folder, as part of a sentence; empty for no one.

    Root may, and the group that a user has for itself. On a read-only mount no one may write, as
    for files that an administrator mounts into a container.
    """
    try:
        found = path.stat()
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return ""
    except OSError as error:
        return f"cannot be accessed ({error.strerror})"
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to another user (uid {found.st_uid})"
    if found.st_mode & stat.S_IWOTH:
        return "is writable by everyone"
    if found.st_mode & stat.S_IWGRP and not _is_private(found):
        return f"is writable by a group (gid {found.st_gid})"
    return ""


def _is_private(found: os.stat_result) -> bool:
    """Whether a group has its owner as the only member, as the groups of many systems' users do."""
    if found.st_gid == 0:
        return True
    try:
        owner = pwd.getpwuid(found.st_uid)
        group = grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and not group.gr_mem


def find(name: str, search_path: str, own: Path) -> Path | None:
    """Return the preferred program of this name, or None; see `candidates`."""
    return next(iter(candidates(name, search_path, own)), None)
