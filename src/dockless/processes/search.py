"""Where a program is: on PATH, and never in the current folder.

A shell takes an empty or relative element of PATH for the current folder, and so does Python. Its
content may be untrusted: an unpacked archive, a clone, a shared folder.
"""

import os
from collections.abc import Mapping
from pathlib import Path


def find_program(name: str, search_path: str | None) -> str | None:
    """Return the absolute path of a program; None when there is none of this name.

    Args:
        name: Its name alone; a path is none.
        search_path: Folders as in PATH; None for where the system has its programs. Empty and
            relative ones are skipped.
    """
    if not name or os.sep in name or "\0" in name or name in (os.curdir, os.pardir):
        return None
    folders = (os.defpath if search_path is None else search_path).split(os.pathsep)
    for folder in folders:
        path = Path(folder, name)
        if path.is_absolute() and _can_be_run(path):
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


def _can_be_run(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except OSError:
        return False
