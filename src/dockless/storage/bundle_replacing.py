"""Replacing the folder of an older bundle: what is in it, and how the new one takes its place."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from dockless.storage.bundle_lists import BUNDLE_FILES
from dockless.storage.folders import is_regular
from dockless.storage.store_names import ALGORITHMS, is_blob

NEW = ".unfinished."
"""What the name of the folder begins with that the new bundle is written in, within the old one."""

_NEW = re.compile(re.escape(NEW) + "[a-z0-9_]{8}")


def foreign_in(folder: Path) -> str:
    """Return the path of something in a folder that is no part of a bundle; empty for none.

    Raises:
        OSError: The folder may not be listed.
    """
    for path in sorted(folder.iterdir()):
        if path.name == "blobs" or _NEW.fullmatch(path.name):
            fine = path.is_dir() and not path.is_symlink()
        else:
            fine = path.name in BUNDLE_FILES and is_regular(path)
        if not fine:
            return path.name
    for path in _inside(folder / "blobs"):
        if not (is_blob(path) and is_regular(path)):
            return path.relative_to(folder).as_posix()
    return ""


def was_interrupted(folder: Path) -> bool:
    """Whether a run was killed while it replaced this bundle, whose lists may be of two then."""
    return any(_NEW.fullmatch(path.name) for path in folder.iterdir())


def take_place(new: Path, out: Path, recheck: Callable[[], None]) -> None:
    """Put a bundle that is whole in the place of the older one in whose folder it was written.

    The new blobs come first, and the old ones go last: every image that index.json lists is whole
    at every moment. Only blobs of the older bundle are deleted.

    Args:
        new: The folder of the new one.
        out: The folder of the older one.
        recheck: Called before anything is changed; raises where something must stay that may have
            come meanwhile.

    Raises:
        OSError: A file cannot be written or deleted.
    """
    recheck()
    kept = set()
    for path in _inside(new / "blobs"):
        place = out / path.relative_to(new)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        kept.add(place)
    try:
        _take_lists(new, out)
    except BaseException:  # a signal, which is to leave the lists of one bundle
        _take_lists(new, out)
        raise
    for path in tuple(_inside(out / "blobs")):
        if path not in kept and is_blob(path) and is_regular(path):
            path.unlink()
    for folder in (out / "blobs").iterdir():
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()


def _take_lists(new: Path, out: Path) -> None:
    for name in BUNDLE_FILES:
        if (new / name).exists():
            (new / name).replace(out / name)


def _inside(blobs: Path) -> Iterator[Path]:
    """Yield what is in the folders of blobs, and what is none of these folders."""
    if not os.path.lexists(blobs):
        return
    for folder in sorted(blobs.iterdir()):
        if folder.name not in ALGORITHMS or folder.is_symlink() or not folder.is_dir():
            yield folder
        else:
            yield from sorted(folder.iterdir())
