"""What `bundle create` may replace of a folder: a bundle that has nothing else in it."""

import os
from collections.abc import Iterable
from pathlib import Path

from dockless.errors import UsageError
from dockless.model.lock import FILE as LOCK
from dockless.model.lock import read_lock
from dockless.oci.digest import Digest
from dockless.oci.manifest import Index, parse_document
from dockless.storage.bundle import free_of
from dockless.storage.bundle_replacing import foreign_in, was_interrupted

_REMEDY = "Give a new folder."


def check_folder(out: Path, inputs: Iterable[Path]) -> None:
    """Check that a folder may get a bundle: it is new, empty, or an older bundle and no input.

    Raises:
        UsageError: It may not.
        OSError: It cannot be looked at.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} exists and is not a folder.", "Give a new folder, or FILE.tar.")
    if free_of(out):
        return
    if why := _no_bundle(out):
        raise UsageError(f"{out} is not empty, and {why}.", _REMEDY)
    real = Path(os.path.realpath(out))
    for each in inputs:
        if real in Path(os.path.realpath(each)).parents:
            raise UsageError(
                f"-o would replace the bundle {out}, which has the input {each} in it.", _REMEDY
            )


def _no_bundle(folder: Path) -> str:
    """Return why a folder is not a bundle that dockless made; empty where it is one.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        foreign = foreign_in(folder)
    except PermissionError:
        return "what is in it cannot be listed"
    if foreign:
        return f"it has {foreign} in it, which is not part of a bundle"
    try:
        lock = read_lock((folder / LOCK).read_bytes())
    except FileNotFoundError:
        return f"it is not a bundle: it has no {LOCK}"
    except ValueError as error:
        return f"it is not a bundle: {LOCK} cannot be read: {error}"
    if was_interrupted(folder):  # the lists may be of two bundles
        return ""
    others = _listed(folder) - {each.root.digest for each in lock.images}
    return f"it has an image that {LOCK} does not list: {min(map(str, others))}" if others else ""


def _listed(folder: Path) -> set[Digest]:
    """Return the images that index.json lists; none where it is damaged."""
    try:
        index = parse_document((folder / "index.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return set()
    return {each.digest for each in index.manifests} if isinstance(index, Index) else set()
