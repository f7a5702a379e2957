"""The store of staged layers, by the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dockless.errors import UsageError
from dockless.storage.blob_store import DEFAULT_LIMIT, BlobStore
from dockless.storage.user_folders import cache_folder

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}


def store(
    environment: Mapping[str, str], cache: Path | None = None, *, recheck: bool = False
) -> BlobStore:
    """Return the store of staged layers, which is this user's alone.

    `DOCKLESS_CACHE_DIR` moves it. It names what several users may share; each has a folder in it.

    Args:
        environment: The environment.
        cache: What stands in for the folder that the environment names; None for nothing.
        recheck: Whether what is in it is compared when it is first used.
    """
    shared = cache or cache_folder(environment)
    return BlobStore(shared / str(os.geteuid()), shared, recheck=recheck)


def cache_limit(environment: Mapping[str, str]) -> int:
    """Return the most bytes of blobs to keep, from `DOCKLESS_CACHE_SIZE` such as `5G`."""
    text = environment.get("DOCKLESS_CACHE_SIZE", "").strip()
    if not text:
        return DEFAULT_LIMIT
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.lower())
    if found is None:
        raise UsageError(
            f"DOCKLESS_CACHE_SIZE is {text!r}, which is not a size.", "Write it as 500M or 20G."
        )
    return int(min(float(found[1]) * _UNITS[found[2]], float(1 << 62)))
