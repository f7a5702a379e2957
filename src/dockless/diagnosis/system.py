"""The version of dockless, the system and the user."""

import os
import platform
import pwd
from collections.abc import Iterator
from pathlib import Path

from dockless.model.finding import Finding
from dockless.storage.user_folders import home_folder
from dockless.version import __version__

AREA = "system"


def check() -> Iterator[Finding]:
    """Report the version, the system and the user."""
    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = ""
    what = f"{__version__} on {platform.system()} {platform.machine()}, Python "
    what += f"{platform.python_version()}, as {name or f'uid {user}, which has no name here'}"
    yield Finding(
        area=AREA,
        subject="dockless",
        state="ok",
        what=what,
        facts={"version": __version__, "user": name or None, "uid": user},
    )
    home = home_folder()
    if home == Path("/"):
        why = "is not set, or is the root folder, and this user has no other home"
    elif not _is_there(home):
        why = f"{home} does not exist, or is not accessible to this user"
    else:
        return
    yield Finding(
        area=AREA,
        subject="HOME",
        state="note",
        what=f"{why}: settings and logins in it are not found",
        remedy="Set HOME to a folder that belongs to this user.",
    )


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir() and os.access(folder, os.X_OK)
    except OSError:
        return False
