"""Where a program is: on PATH, and never in the current folder.

A shell takes an empty or relative element of PATH for the current folder, and so does Python. Its
content may be untrusted: an unpacked archive, a clone, a shared folder.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_MOST_LINKS = 40  # as Linux has it


def find_program(name: str, search_path: str | None) -> str | None:
    """Return the absolute path of a program; None when there is none of this name.

    Args:
        name: Its name alone; a path is none.
        search_path: Folders as in PATH; None for where the system has its programs. Empty and
            relative ones are skipped, and those that lead to the current folder by links, `.` or
            `..`.
    """
    if not name or os.sep in name or "\0" in name or name in (os.curdir, os.pardir):
        return None
    folders = (os.defpath if search_path is None else search_path).split(os.pathsep)
    for folder in folders:
        path = Path(folder, name)
        if path.is_absolute() and _can_be_run(path) and not _is_here_otherwise(folder):
            return str(path)
    return None


def program_of(program: str, environment: Mapping[str, str]) -> str:
    """Return the file that is started for the first word of a command.

    Args:
        program: A name, which is looked for on PATH, or an absolute path.
        environment: The caller's, with its PATH.

    Raises:
        FileNotFoundError: There is none.
    """
    if os.path.isabs(program):  # noqa: PTH117 - which keeps the text as it is
        return program
    found = find_program(program, environment.get("PATH"))
    if found is None:
        raise FileNotFoundError(2, os.strerror(2), program)
    return found


def steps(path: Path) -> Iterator[Path]:
    """Yield every folder and link on the way to a file or folder, and this itself; all absolute.

    Links are followed; one that leads to itself ends the way.
    """
    at, left = Path("/"), _MOST_LINKS
    waiting = list(reversed(path.absolute().parts[1:]))
    yield at
    while waiting:
        part = waiting.pop()
        if part in ("", os.curdir, os.pardir):
            at = at.parent if part == os.pardir else at
            continue
        yield at / part
        try:
            target = str((at / part).readlink())
        except OSError:
            at /= part
            continue
        left -= 1
        if not left:
            return
        at = Path("/") if target.startswith("/") else at
        waiting += reversed(target.split("/"))


def _is_here_otherwise(folder: str) -> bool:
    """Whether a folder is the current one by another name than its own, or what a process has open.

    Such names are links, and those with `.` and `..`, which lead to it from a folder that is meant.
    """
    if Path("/proc") in steps(Path(folder)):
        return True
    try:
        here = Path.cwd()
    except OSError:  # it is deleted
        return False
    return os.path.realpath(folder) == str(here) != (folder.rstrip(os.sep) or os.sep)


def _can_be_run(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except OSError:
        return False
