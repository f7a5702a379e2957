"""The blobs that one push stages: files of its own, which the store gets, too.

They are written into a folder of the push, where the engine finds them at once, and added to the
store by a thread of its own: linked, and only then recorded. So a power failure can lose a blob,
but never leave a wrong one (see `blob_store`).
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

from dockless.errors import LostCopyError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.processes.regular import read_regular
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import ReadableStream, blocks
from dockless.storage.disk_errors import full_disk
from dockless.storage.folders import make_own, remove
from dockless.storage.streams import BlobDraft
from dockless.threads import ThreadPool


class StagedBlobs:
    """The blobs of one push.

    Args:
        store: Where blobs stay afterwards.
        folder: The folder of the push.

    Attributes:
        store: Where blobs stay afterwards.
    """

    def __init__(self, store: BlobStore, folder: Path) -> None:
        self.store = store
        self._folder = folder
        self._blobs = folder / "blobs"
        make_own(self._blobs)
        self._settler = ThreadPool(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._settler.close()

    def settle(self) -> None:
        """Wait until the store knows everything that was staged so far."""
        self._settler.result(self._settler.submit(_nothing))

    def renew(self) -> None:
        """Make the area's folder again, if it was deleted.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
        """
        self.store.renew()
        with full_disk(self.store.folder):
            make_own(self._blobs)

    def new_folder(self, prefix: str) -> Path:
        """Make a private folder, which is removed with the folder of the push; return it.

        Args:
            prefix: How its name begins.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
        """
        self.renew()
        make_own(self._folder)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder))

    def prove(self, copies: Iterable[tuple[Descriptor, Path]], *, read: bool) -> None:
        """Compare staged files with the blobs that they should be; see `BlobStore.prove`.

        Raises:
            LostCopyError: One is missing or damaged; all of these are dropped.
        """
        self.renew()
        self.store.prove(copies, read=read)

    def path(self, digest: Digest, size: int | None = None) -> Path | None:
        """Return the file of a blob that is staged here or known to the store.

        What the store has is linked here first, so that it stays when the store is pruned.

        Args:
            digest: The blob.
            size: How many bytes it has, where that is known: a file of another length is dropped.
        """
        staged = self._blobs / digest.hex
        if _fits(staged, size):
            return staged
        stored = self.store.blob(digest, size)
        if stored is None:
            return None
        try:
            os.link(stored, staged)
        except FileExistsError:  # another thread has just linked it
            return staged
        except FileNotFoundError:  # it was pruned at this moment, or all of the store deleted
            return None
        except OSError:  # a file system without links
            return stored
        return staged

    def require(self, digest: Digest, size: int | None = None) -> Path:
        """Return what `path` does, of a blob that was staged before.

        Raises:
            LostCopyError: It is not here any more.
        """
        path = self.path(digest, size)
        if path is None:
            raise deleted_copy(digest)
        return path

    def read(self, digest: Digest) -> bytes | None:
        """Return a small blob, compared with its digest; None when it is not here."""
        path = self.path(digest)
        try:
            data = read_regular(path, follow=False) if path else None
        except OSError:
            return None
        if data is not None and not digest.matches(data):
            self.discard(digest)
            return None
        return data

    def discard(self, digest: Digest) -> None:
        """Forget a blob that is not what it should be."""
        with contextlib.suppress(FileNotFoundError):
            remove(self._blobs / digest.hex)
        self.store.drop(digest)

    def spool(self, stream: ReadableStream) -> Path:
        """Return a file with all of a stream, which is gone with the push; one at a time.

        Raises:
            PushError: The disk is full.
            LostCopyError: It was deleted in the meantime.
        """
        with self._draft() as draft:
            for block in blocks(stream):
                draft.write(block)
            draft.close()
            return draft.path.replace(self._blobs / ".spooled")

    @contextlib.contextmanager
    def _draft(self, algorithm: str = "sha256") -> Iterator[BlobDraft]:
        """Yield a blob to be written.

        Raises:
            PushError: The disk is full.
            LostCopyError: It was deleted in the meantime.
        """
        try:
            with full_disk(self.store.folder), self._opened(algorithm) as draft:
                yield draft
        except FileNotFoundError:
            self.renew()
            raise LostCopyError(
                f"Staged content in the store {self.store.folder} was deleted during the run.",
                "Run it again.",
            ) from None

    def _opened(self, algorithm: str) -> BlobDraft:
        try:
            return BlobDraft(self._blobs, algorithm)
        except FileNotFoundError:  # another process deleted the folder
            self.renew()
            return BlobDraft(self._blobs, algorithm)

    def _keep(
        self,
        draft: BlobDraft,
        remember: Callable[[], None] | None = None,
        turn: contextlib.ExitStack | None = None,
    ) -> None:
        digest = draft.digest()
        staged = draft.path.replace(self._blobs / digest.hex)
        held = turn.pop_all() if turn else contextlib.nullcontext()

        def settle() -> None:
            # a blob that cannot be kept costs the next push time, and this one nothing
            with held, contextlib.suppress(OSError):
                draft.close()
                self.store.adopt(staged, digest)
                if remember:
                    remember()

        self._settler.submit(settle)


def deleted_copy(digest: Digest) -> LostCopyError:
    """Return the error for a blob that was staged, and is not here any more."""
    return LostCopyError(
        f"The staged copy of {digest} was deleted or changed.",
        "Run it again: it will be staged again.",
    )


def _fits(path: Path, size: int | None) -> bool:
    """Whether a file exists, with its size if known; one of another size is deleted."""
    try:
        status = path.lstat()
    except OSError:
        return False
    if stat.S_ISREG(status.st_mode) and size in (None, status.st_size):
        return True
    with contextlib.suppress(FileNotFoundError):
        remove(path)
    return False


def _nothing() -> None:
    pass
