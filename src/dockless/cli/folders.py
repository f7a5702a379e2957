"""The folders of this user, also where the user has no home: in containers many have no name."""

import contextlib
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


def data_folder() -> Path:
    """Return the folder of dockless's data; one that is not there for a user without a home."""
    try:
        return platformdirs.user_data_path("dockless")
    except RuntimeError:
        return _ROOT / "nonexistent"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the store of staged layers; `DOCKLESS_CACHE_DIR` moves it.

    Raises:
        UsageError: It is not moved, and the user has no home for it.
    """
    if moved := environment.get("DOCKLESS_CACHE_DIR", ""):
        return Path(moved)
    with contextlib.suppress(RuntimeError):
        folder = platformdirs.user_cache_path("dockless")
        if (
            folder.is_absolute()
        ):  # older versions of platformdirs leave a `~` where there is no home
            return folder
    raise UsageError(
        "This user has no home, so there is no folder for the store of layers.",
        "Set HOME, or DOCKLESS_CACHE_DIR to a folder that this user may write to.",
    )
