"""The store of staged layers: whether it can be written to, has room, and can share bytes."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from dockless.model.finding import Fact, Finding, State
from dockless.report.units import human_size
from dockless.storage import sharing
from dockless.storage.blob_store import BlobStore
from dockless.storage.folders import unfit
from dockless.storage.sharing import Sharing
from dockless.storage.store_folder import foreign

AREA = "cache"
_LITTLE_BYTES = 1_000_000_000
_KEEP_NOTHING = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "devpts"})
"""File systems on which root appears to have write access, but no file can be created."""

_MOUNTS = Path("/proc/self/mountinfo")
_MOVE = "Set DOCKLESS_CACHE_DIR to a folder that this user may write to."


class CacheFolder(Struct, frozen=True, kw_only=True):
    """The state of the store's folder.

    Attributes:
        folder: Where the store is to be.
        there: The folder itself, or the nearest one above it that exists.
        owner: The user id of `there`.
        unfit: Why the folder is not private to this user; empty when it is, or does not exist yet.
        foreign: Something in it that dockless did not make, where the folder is not a store.
        writable: Whether this user may make files in it.
        free: Bytes that this user may still fill.
        kind: The kind of file system; empty when unknown.
        sharing: What that can do.
        was_tried: Whether this was tested, and not only looked up.
    """

    folder: Path
    there: Path
    owner: int
    unfit: str = ""
    foreign: str = ""
    writable: bool
    free: int
    kind: str
    sharing: Sharing
    was_tried: bool

    @property
    def exists(self) -> bool:
        """Whether the store's own folder is there."""
        return self.there == self.folder


def check(store: BlobStore, limit: Callable[[], int], *, write: bool) -> Iterator[Finding]:
    """Look at the store's folder.

    Args:
        store: The store.
        limit: Gives the bytes that it may hold; raises UsageError for an invalid size.
        write: Whether files may be created there, to test the file system.
    """
    place = _place(store.folder.absolute(), write=write)
    yield from judge_access(place, os.geteuid())
    yield from judge_sharing(place)
    yield from judge_space(place, store.usage().size if place.exists else 0, limit())


def _place(folder: Path, *, write: bool) -> CacheFolder:
    there = next(path for path in (folder, *folder.parents) if _is_there(path))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    real = there.resolve()
    kind = sharing.kind_of(real, _MOUNTS.read_text()) if _MOUNTS.exists() else ""
    tries = write and writable
    return CacheFolder(
        folder=folder,
        there=there,
        owner=there.stat().st_uid,
        unfit=unfit(folder) if os.path.lexists(folder) else "",
        foreign=foreign(folder) if writable else "",
        writable=writable,
        free=shutil.disk_usage(there).free,
        kind=kind,
        sharing=sharing.tried(there) if tries else sharing.likely(kind),
        was_tried=tries,
    )


def _is_there(path: Path) -> bool:
    """Whether a path exists and is accessible; the root folder always is."""
    try:
        return path.exists()
    except OSError:
        return False


def judge_access(place: CacheFolder, user: int) -> Iterator[Finding]:
    """Judge whether pushes can use the folder."""
    if place.kind in _KEEP_NOTHING:
        what = f"{place.there} is a system folder ({place.kind}), in which nothing can be stored."
        yield _line(place.folder, "problem", what, _MOVE)
    elif not place.writable:
        why = f"{place.there} is not writable by this user (uid {user})"
        owner = f"; it belongs to uid {place.owner}" if place.owner != user else ""
        yield _line(place.folder, "problem", f"{why}{owner}.", _MOVE)
    elif place.foreign:
        what = f"is not a store of dockless: it has {place.foreign}, which dockless did not make."
        yield _line(place.folder, "problem", what, _MOVE)
    elif place.unfit:
        what = f"{place.unfit}: content that is pushed from there could be replaced."
        yield _line(place.folder, "problem", what, f"Delete it. {_MOVE}")
    else:
        what = (
            "can be written to" if place.exists else "does not exist yet; the first push creates it"
        )
        yield _line(place.folder, "ok", what, facts={"exists": place.exists})


def judge_space(place: CacheFolder, held: int, limit: int) -> Iterator[Finding]:
    """Judge whether there is room for the store's limit.

    Args:
        place: The folder.
        held: Bytes of blobs that are in it.
        limit: Bytes that it may hold (`DOCKLESS_CACHE_SIZE`).
    """
    facts: dict[str, Fact] = {"freeBytes": place.free, "heldBytes": held, "limitBytes": limit}
    what = f"{human_size(place.free)} free; holds {human_size(held)} of {human_size(limit)}"
    if place.free < _LITTLE_BYTES:
        remedy = "Run `dockless cache prune --all`, free some space, or set DOCKLESS_CACHE_DIR."
        state: State = "problem" if place.free < min(limit, _LITTLE_BYTES) else "note"
        yield _line("space", state, f"{what}: layers may not fit.", remedy, facts)
    elif place.free < limit - held:
        remedy = "Set DOCKLESS_CACHE_SIZE to less than what is free, such as 5G."
        yield _line("space", "note", f"{what}: less is free than the store may use", remedy, facts)
    else:
        yield _line("space", "ok", what, facts=facts)


def judge_sharing(place: CacheFolder) -> Iterator[Finding]:
    """Judge whether pushed content is on the disk once or twice."""
    words = {True: "yes", False: "no", None: "unknown"}
    sharing = place.sharing
    tried = "tried" if place.was_tried else "by file system type; --write tests it"
    kind = place.kind or "unknown kind"
    what = (
        f"{kind}: hard links {words[sharing.hard_links]}, reflinks {words[sharing.reflinks]} "
        f"({tried})"
    )
    facts: dict[str, Fact] = {
        "fileSystem": place.kind or None,
        "hardLinks": sharing.hard_links,
        "reflinks": sharing.reflinks,
        "tried": place.was_tried,
    }
    copies = sharing.hard_links is False and not sharing.reflinks
    more = "; layers are copied there, which takes time and space" if copies else ""
    yield _line("links", "note" if copies else "ok", f"{what}{more}", facts=facts)


def _line(
    subject: str | Path,
    state: State,
    what: str,
    remedy: str = "",
    facts: dict[str, Fact] | None = None,
) -> Finding:
    return Finding(
        area=AREA,
        subject=str(subject),
        state=state,
        what=what,
        remedy=remedy,
        facts=facts or {},
    )
