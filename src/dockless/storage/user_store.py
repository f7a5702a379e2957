"""The store of staged layers, by the environment."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockless.errors import DocklessError, UsageError
from dockless.storage.blob_store import DEFAULT_LIMIT, BlobStore
from dockless.storage.disk_errors import deleted_meanwhile, full_disk
from dockless.storage.machine import Machine
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


@contextlib.contextmanager
def running_store(
    machine: Machine, *, recheck: bool, until: float | None
) -> Iterator[tuple[BlobStore, Path]]:
    """Yield the user's store, and a folder in it that goes with the block; prune it afterwards.

    Args:
        machine: The user's environment and folders.
        recheck: As for `store`.
        until: The moment, on the clock of `time.monotonic`, when all waiting ends; None for none.

    Raises:
        UsageError: The store's folder, or the limit of its size, cannot be used.
        LostCopyError: Something deleted it meanwhile.
        PushError: Its disk is full.
    """
    held = store(machine.environment, machine.cache, recheck=recheck)
    held.wait_until(until)
    limit = cache_limit(machine.environment)
    with deleted_meanwhile(held.folder), full_disk(held.folder, below=True):
        with held.run() as folder:
            yield held, folder
        with contextlib.suppress(DocklessError):  # what could not be deleted is no failed push
            held.prune(limit)


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
