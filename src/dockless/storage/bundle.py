"""Bundles: an OCI layout of many images, in which every blob stands once, and its archive.

The same images give the same bytes: names are sorted, and nothing says when or where.
"""

import contextlib
import errno
import io
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from dockless.errors import ConflictError, LostCopyError, PushError
from dockless.model.lock import FILE, Lock, Locked, lock_text
from dockless.model.renaming import whole_name
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Name
from dockless.processes.scratch import abandoned, owned, scratch
from dockless.storage.bundle_archive import REMEDY, unwritten
from dockless.storage.bundle_lists import (
    BUNDLE_FILES,
    index_of,
    layout_text,
    refers,
    root_of,
)
from dockless.storage.bundle_replacing import NEW
from dockless.storage.docker_list import FILE as DOCKER_LIST
from dockless.storage.docker_list import docker_list
from dockless.storage.folders import is_regular
from dockless.storage.oci_layout import blob_path
from dockless.storage.store_names import is_blob

_CHUNK = 1024 * 1024
_UNFINISHED = ".unfinished"


class Bundle:
    """A bundle that is being written.

    Args:
        folder: Where to; made if it is not there.
        without: Layers to leave out, since the other side has them.
    """

    def __init__(self, folder: Path, without: Collection[Digest] = ()) -> None:
        self._folder = folder
        self._without = frozenset(without)
        self._images: dict[str, tuple[Locked, Content]] = {}
        self._written: set[Digest] = set()
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def needs(self, content: Content) -> frozenset[Digest]:
        """Return the blobs of an image that the bundle does not have yet."""
        configs = content.configs()
        return frozenset(
            blob.digest
            for blob in content.blobs
            if not self._path(blob.digest).exists()
            and (blob.digest in configs or blob.digest not in self._without)
        )

    def hold(self, content: Content, blobs: Mapping[Digest, Path]) -> None:
        """Add the blobs of an image, each once, compared while it is copied.

        Args:
            content: What it is.
            blobs: A file for each blob that `needs` named.

        Raises:
            LostCopyError: A file is not the blob that it should be; it is not taken in.
            PushError: It cannot be written.
        """
        with _writing(self._folder):
            for digest, data in content.documents.items():
                self._write(digest, io.BytesIO(data).read)
        for digest, path in blobs.items():
            # one that is gone is made again
            with path.open("rb") as file, _writing(self._folder):
                self._write(digest, file.read)

    def add(self, names: Iterable[Name], source: str, content: Content) -> bool:
        """Add an image, which is held, under each of its full names, or under none.

        Return whether one of them is new.

        Args:
            names: Its names in its source.
            source: Where it came from.
            content: What it is.

        Raises:
            ConflictError: Another image has one of them.
            ValueError: The host or path of one is none.
        """
        entries = dict(self._entry(name, source, content) for name in names)
        is_new = not entries.keys() <= self._images.keys()
        self._images |= entries
        return is_new

    def _entry(
        self, name: Name, source: str, content: Content
    ) -> tuple[str, tuple[Locked, Content]]:
        whole = whole_name(name)
        held = self._images.get(whole)
        if held and held[1].root.digest != content.root.digest:
            other = held[0]
            raise ConflictError(
                f"{name} of {source} ({content.root.digest}) and {other.short or other.name} of "
                f"{other.source} ({other.root.digest}) would both be {whole}.",
                "Leave one of them out, or name it with --as.",
            )
        return whole, (Locked.of(name, source, content), content)

    def finish(self) -> None:
        """Write the files that list the images; raise PushError where there is no space."""
        with _writing(self._folder):
            self._finish()

    def _finish(self) -> None:
        (self._folder / "oci-layout").write_bytes(layout_text())
        there = {digest for _, content in self._images.values() for digest in content.documents}
        index = index_of(
            root_of(content.root, "" if refers(content, name, there) else name)
            for name, (_, content) in sorted(self._images.items())
        )
        (self._folder / "index.json").write_bytes(index)
        locked = tuple(each for each, _ in self._images.values())
        held = {digest for each in locked for digest, _ in each.blobs}
        for digest in self._written - held - there:  # of an image that could not be added
            self._path(digest).unlink()
        absent = frozenset(digest for digest in held if not self._path(digest).exists())
        images = ((name, content) for name, (_, content) in sorted(self._images.items()))
        listing = docker_list(images, absent)
        (self._folder / DOCKER_LIST).write_bytes(listing)
        (self._folder / FILE).write_text(lock_text(Lock(locked, absent, Digest.of(listing))))

    def _path(self, digest: Digest) -> Path:
        return blob_path(self._folder, digest)

    def _write(self, digest: Digest, read: Callable[[int], bytes]) -> None:
        path = self._path(digest)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft, found = path.with_name(f".{path.name}"), digest.hasher()
        with draft.open("wb") as out:
            while data := read(_CHUNK):
                found.update(data)
                out.write(data)
        if found.hexdigest() != digest.hex:
            draft.unlink()
            raise LostCopyError(
                f"The copy of {digest} on this machine is damaged: its digest is "
                f"{digest.algorithm}:{found.hexdigest()}.",
                "Run the command again: it will be created again.",
            )
        draft.replace(path)
        self._written.add(digest)


@contextlib.contextmanager
def workplace(out: Path, *, archive: bool, replaces: bool = False) -> Iterator[Path]:
    """Yield the folder that a bundle is written in; nothing is left of one that is not finished.

    What a killed run left is removed, here or by `free_of`.

    Args:
        out: The bundle.
        archive: Whether it is an archive, whose layout has a folder next to it meanwhile.
        replaces: Whether an older bundle is in the folder `out`; the new one has a folder in it
            meanwhile.

    Raises:
        PushError: The folder cannot be written.
    """
    made = False
    with contextlib.ExitStack() as stack:
        try:
            if archive:
                folder = stack.enter_context(scratch(out.parent, f".{out.name}."))
            elif replaces:
                folder = stack.enter_context(scratch(out, NEW))
            else:
                folder = out
                made = _make(folder)
                stack.enter_context(owned(folder, _UNFINISHED))
        except OSError as error:
            raise unwritten(out, error) from None
        try:
            yield folder
        except BaseException:
            if archive or replaces:
                clear(folder)
            else:
                _empty(folder)
                if made:  # else it is the user's own, or a link to it
                    with contextlib.suppress(OSError):
                        folder.rmdir()
            raise


def _make(folder: Path) -> bool:
    """Make a folder, with those above it; return False where it is there."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return False
    return True


def _empty(folder: Path) -> None:
    """Remove what a bundle writes into a folder, and nothing else."""
    blobs = folder / "blobs"
    if not blobs.is_symlink():
        for path in blobs.glob("*/*"):
            if is_blob(path.with_name(path.name.removeprefix("."))) and is_regular(path):
                path.unlink(missing_ok=True)
        for each in (*blobs.glob("*"), blobs):
            with contextlib.suppress(OSError):
                each.rmdir()
    for name in (*BUNDLE_FILES, _UNFINISHED):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = REMEDY
        if error.errno == errno.EFBIG:
            remedy = (
                "A layer is larger than files may be there: write the bundle to another file "
                "system, or raise the limit (ulimit -f)."
            )
        what = f"The bundle cannot be written to {folder}: {error.strerror}."
        raise PushError(what, remedy) from None


def clear(folder: Path) -> None:
    """Remove a bundle's folder that was not finished."""
    shutil.rmtree(folder, ignore_errors=True)


def free_of(folder: Path) -> bool:
    """Whether there is nothing in a folder, or no folder; what a killed run left is removed."""
    if abandoned(folder, _UNFINISHED):
        _empty(folder)
    if not folder.exists():
        return True
    try:
        return not any(folder.iterdir())
    except PermissionError:  # it may be written, and not listed: what would be written is not there
        return not any((folder / name).exists() for name in ("blobs", *BUNDLE_FILES))
