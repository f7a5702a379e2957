"""The blobs of an older bundle, which `bundle create --since` leaves out."""

from pathlib import Path

from dockless.errors import SourceError, UsageError
from dockless.model.lock import FILE as LOCK
from dockless.model.lock import Lock, read_lock
from dockless.oci.digest import Digest
from dockless.processes.regular import read_regular
from dockless.sources.bundle import lock_of
from dockless.sources.opener import Opener
from dockless.sources.source_paths import PARTS_ENDING
from dockless.sources.spec import parse_source

_LOOKED_AT = 64
"""Bytes that tell a lock file from an archive."""


def older_blobs(opener: Opener, path: Path, folder: Path) -> frozenset[Digest]:
    """Return the blobs of an older bundle, from its lock file.

    Args:
        opener: Opens it.
        path: The bundle, the list of its parts, or its lock file.
        folder: What relative paths start from.

    Raises:
        UsageError: It is neither a lock file nor a bundle.
    """
    try:
        lock = read_lock(read_regular(path)) if _is_lock(path) else _lock_in(opener, path, folder)
    except OSError as error:
        raise UsageError(
            f"The older bundle {path} cannot be used: {error.strerror}.",
            "Check the path and permissions of what --since names.",
        ) from None
    except (ValueError, SourceError) as error:
        why = error.what if isinstance(error, SourceError) else f"{error}."
        raise UsageError(
            f"The older bundle {path} cannot be used: {why}",
            f"Give a bundle, the list of its parts, or its {LOCK}.",
        ) from None
    return frozenset(digest for each in lock.images for digest, _ in each.blobs)


def _is_lock(path: Path) -> bool:
    if path.is_dir() or path.name.endswith(PARTS_ENDING):
        return False
    if not path.is_file():  # it is missing, or nothing to wait for
        return True
    with path.open("rb") as file:
        return file.read(_LOOKED_AT).lstrip().startswith((b"{", b"[")) or not path.stat().st_size


def _lock_in(opener: Opener, path: Path, folder: Path) -> Lock:
    # which is no image's name, whatever the bundle is called
    text = str(path) if path.is_absolute() else f"./{path}"
    lock = lock_of(opener.files(parse_source(text, folder)))
    if lock is None:
        raise ValueError(f"it has no {LOCK}")
    return lock
