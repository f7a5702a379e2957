"""Where the engines are: on PATH, or in the folder that dockless installs into."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def own_folder(environment: Mapping[str, str], data: Path) -> Path:
    """Return the folder of dockless's own engines.

    Args:
        environment: The caller's; `DOCKLESS_TOOLS_DIR` names another folder.
        data: Where dockless keeps the user's data.
    """
    return Path(environment.get("DOCKLESS_TOOLS_DIR") or data / "tools" / "bin").absolute()


def candidates(name: str, search_path: str, own: Path) -> tuple[Path, ...]:
    """Return every program of this name, absolute, the one to be preferred first.

    Args:
        name: `crane` or `skopeo`.
        search_path: Folders as in PATH; the first hit in them counts.
        own: The folder of dockless's own engines.
    """
    found = shutil.which(name, path=search_path)
    paths = [Path(found).absolute()] if found else []
    mine = own / name
    # unlike Path.is_file, these are only false in a folder that this user may not look into
    if os.path.isfile(mine) and os.access(mine, os.X_OK):  # noqa: PTH113
        paths.append(mine)
    return tuple(dict.fromkeys(paths))


def find(name: str, search_path: str, own: Path) -> Path | None:
    """Return the preferred program of this name, or None; see `candidates`."""
    return next(iter(candidates(name, search_path, own)), None)
