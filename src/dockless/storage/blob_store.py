"""The blob store: content-addressed files that outlive a push, and the records of layers.

Below the store's folder, which only its user may write to:

- `CACHEDIR.TAG`: marks the folder as one that dockless made; see `store_folder`.
- `blobs/sha256/HEX`: a blob. It gets this name only when it is complete.
- `unflushed/BOOT.ALGORITHM.HEX`: marks a blob that may not be on the disk yet, and the boot of the
  machine that wrote it. The next push flushes it, when the system has long written it by itself;
  after a crash of the machine it is read and compared before it is used.
- `layers/HEX.COMPRESSION`: of a layer's diffID, the descriptor of its compressed form, and how it
  became that.
- `heads/HEX`: of a layer's length and first block, the diffID it had when last seen.
- `runs/NAME/`: the staging area of a push that is going on; left-overs are swept by the next one.
- `locks/`: locks of running processes.

Any of it may be deleted at any moment. Files of other names are left alone.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from msgspec import Struct

from dockless.errors import LostCopyError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.packing import Compression, Packing
from dockless.storage import runs
from dockless.storage.checks import becomes, difference
from dockless.storage.folders import (
    clear,
    files,
    is_inside,
    is_regular,
    listed,
    make_below,
    remove,
    try_making,
    unfit,
    untrusted,
)
from dockless.storage.layer_records import LayerRecords
from dockless.storage.runs import Runs, usable
from dockless.storage.store_folder import refuse_other_folders

DEFAULT_LIMIT = 20 * 1000**3
"""Default limit of the blobs' bytes."""

_LOCK_NAMES = 2


class Usage(Struct, frozen=True):
    """How much the store holds.

    Attributes:
        blobs: How many blobs.
        size: Their bytes.
        layers: How many layers are known, whether or not their blob is still there.
    """

    blobs: int
    size: int
    layers: int


class BlobStore(LayerRecords):
    """The store in one folder, shared by every push of this user.

    Args:
        folder: Where it is.
        older: The folder in which older versions kept it; None for none.
        recheck: Whether what it has is read and compared when it is first used by this process.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path, older: Path | None = None, *, recheck: bool = False) -> None:
        super().__init__(folder)
        self._older = older
        self._work = Runs(folder, older)
        self._recheck = recheck
        self._proven: set[object] = set()
        self._blobs = folder / "blobs"
        self._unflushed = folder / "unflushed"

    def blob(self, digest: Digest, size: int | None = None) -> Path | None:
        """Return the blob's file, and mark it as used; None when the store lacks it.

        Args:
            digest: The blob.
            size: How many bytes it has, where that is known: a file of another length is dropped.
        """
        path = self._blob_path(digest)
        if not is_inside(self.folder, path):
            return None
        try:
            status = path.lstat()
            held = status.st_size
            sound = stat.S_ISREG(status.st_mode) and size in (None, held)
            if sound and self._recheck and digest not in self._proven:
                sound = not difference(path, Descriptor(media_type="", digest=digest, size=held))
                self._proven.add(digest)
            if sound:
                os.utime(path)
                return path
        except OSError:
            return None
        self.drop(digest)
        return None

    def drop(self, digest: Digest) -> None:
        """Forget a blob that is not what it should be."""
        path = self._blob_path(digest)
        if is_inside(self.folder, path):
            with contextlib.suppress(OSError):
                remove(path)

    def adopt(self, path: Path, digest: Digest) -> None:
        """Take a complete file in as this blob; the file stays, too."""
        from dockless.storage.file_links import place  # noqa: PLC0415 - a warm push adopts nothing

        target = self._blob_path(digest)
        make_below(self.folder, target.parent)
        if runs.boot():
            # before the blob has its name: file systems keep the order of names
            make_below(self.folder, self._unflushed)
            mark = runs.mark_of(self._unflushed, digest)
            clear(mark)
            mark.touch()
        else:
            runs.flush(path)
        self._proven.add(digest)
        try:
            place(path, target)
        except FileExistsError:
            if not is_regular(target) or target.stat().st_size != path.stat().st_size:
                with contextlib.suppress(FileNotFoundError):
                    remove(target)
                place(path, target)

    def layer(self, diff_id: Digest, compression: Compression) -> Descriptor | None:
        """Return the compressed form of a layer, if this store has a record of it."""
        record = self._record(diff_id, compression)
        if record is None:
            return None
        path = self._blob_path(record.layer.digest)
        if os.path.lexists(path) and difference(path, record.layer, read=False):
            self.drop(record.layer.digest)
            if not record.sealed:  # the record may be what is wrong
                self._forget(diff_id, compression)
                return None
        # one that version 0.1.0 wrote may say anything: its blob is inflated once, and then sealed;
        # without its blob it is not believed, since a registry may have what it wrongly names
        unsealed = not record.sealed
        if (self._recheck or unsealed) and not self._is_proven(diff_id, record.layer):
            self._forget(diff_id, compression)
            return None
        if unsealed:
            with contextlib.suppress(OSError):
                self.remember(diff_id, record.packing, record.layer)
        return record.layer

    def remember(self, diff_id: Digest, packing: Packing, layer: Descriptor) -> None:
        """Keep what `layer` and `packing` will return."""
        self._proven.add((diff_id, layer.digest))
        super().remember(diff_id, packing, layer)

    def _is_proven(self, diff_id: Digest, layer: Descriptor) -> bool:
        if (diff_id, layer.digest) not in self._proven:
            if not becomes(self._blob_path(layer.digest), layer, diff_id):
                self.drop(layer.digest)
                return False
            self._proven |= {layer.digest, (diff_id, layer.digest)}
        return True

    def prove(self, copies: Iterable[tuple[Descriptor, Path]], *, read: bool) -> None:
        """Compare the files that a push works with with the blobs that they should be.

        Only what lies in the store or in a run's folder is looked at: what is not right there is
        dropped, and can be staged again.

        Args:
            copies: The blobs, and the file of each.
            read: Whether bytes are compared as well, and not lengths alone.

        Raises:
            LostCopyError: One is missing or damaged; all of these are dropped.
        """
        wrong = ""
        for blob, path in copies:
            if path.is_relative_to(self.folder) and (why := difference(path, blob, read=read)):
                if is_inside(self.folder, path):
                    with contextlib.suppress(OSError):
                        remove(path)
                self.drop(blob.digest)
                wrong = wrong or f"The copy of {blob.digest} in the store {self.folder} {why}."
        if wrong:
            raise LostCopyError(wrong, "Run it again: it will be staged again.")

    def exclusive(self, head: str) -> IO[bytes]:
        """Wait until no other process stages a layer with this head; closing the file unlocks it.

        Where no lock can be made, there is no waiting: two may then do the same work.
        """
        try:
            return self._work.lock(head[:_LOCK_NAMES])
        except OSError:
            return Path(os.devnull).open("rb")

    def turn(self, name: str) -> IO[bytes]:
        """Wait until no other process of this user has this turn; closing the file ends it.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
            NetworkError: `wait_until` has come.
        """
        with usable(self.folder):
            return self._work.lock(name)

    def turn_if_free(self, name: str) -> IO[bytes] | None:
        """Return the result of `turn`, or None where another process has it; does not wait.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
            OSError: The lock cannot be made.
        """
        with usable(self.folder):
            self._work.open()
        try:
            return self._work.lock(name, wait=False)
        except BlockingIOError:
            return None

    def wait_until(self, moment: float | None) -> None:
        """Wait for the locks of others until a moment on the clock of `time.monotonic`."""
        self._work.until = moment

    def ready(self) -> bool:
        """Whether there is a store; that of version 0.1.0 is moved to its place.

        Raises:
            UsageError: Its folder cannot be used, or cannot be made.
            PushError: Its disk is full.
        """
        with usable(self.folder):
            if os.path.lexists(self.folder) or self._work.has_older():
                self._work.open()
            if any((self.folder / name).is_dir() for name in ("blobs", "layers", "locks")):
                return True
            try_making(self.folder)
        return False

    def check(self) -> None:
        """See that there is a store, or can be one; nothing is changed.

        Raises:
            UsageError: Its folder cannot be used, or cannot be made.
            PushError: Its disk is full.
        """
        with usable(self.folder):
            refuse_other_folders(self.folder)
            if not os.path.lexists(self.folder):
                try_making(self.folder)
            elif why := unfit(self.folder):
                raise untrusted(self.folder, why)

    @contextlib.contextmanager
    def run(self) -> Iterator[Path]:
        """Yield a new folder for one push; it goes with the block, or with the next push.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
        """
        folder = self._work.new()
        try:
            with usable(self.folder):
                self._work.begin(folder, lambda: runs.settle(self._unflushed, self._blob_path))
            yield folder
        finally:
            self._work.end(folder)

    def renew(self) -> None:
        """Make the folders of this process's runs again, if they were deleted.

        Raises:
            UsageError: The store's folder cannot be used.
            PushError: Its disk is full.
        """
        with usable(self.folder):
            self._work.renew()

    def usage(self) -> Usage:
        """Measure the store, with what of version 0.1.0 is not moved to its place yet.

        Raises:
            UsageError: Its folder cannot be read.
        """
        folders = [self.folder, *([self._older] if self._older and self._work.has_older() else [])]
        with usable(self.folder):
            sizes = [status.st_size for each in folders for _, status in _blobs_in(each)]
            layers = [layer for each in folders for layer in files(each / "layers")]
            return Usage(len(sizes), sum(sizes), len(layers))

    def prune(self, limit: int) -> int:
        """Delete blobs, the least recently used first, until `limit` bytes are left.

        What a running push may use is kept: blobs that have a second name, and those that
        were used since it began. What is known of layers is kept for 90 days after its last use: a
        registry that has the compressed layer needs no blob from here. What has a name of
        dockless's and is no regular file, such as a FIFO or a link, goes; other names stay.

        Returns:
            The bytes that were freed.

        Raises:
            UsageError: Nothing may be deleted there.
        """
        with usable(self.folder):
            from dockless.storage.pruning import Prunable  # noqa: PLC0415 - after the push

            began = self._work.oldest()  # deletes what killed pushes had linked
            prunable = Prunable(
                folder=self.folder,
                blobs=_blobs_in(self.folder),
                records=(self._layers, self._heads),
                began=began,
            )
            return prunable.prune(limit)

    def _blob_path(self, digest: Digest) -> Path:
        return self._blobs / digest.algorithm / digest.hex


def _blobs_in(store: Path) -> list[tuple[Path, os.stat_result]]:
    return [blob for folder in listed(store / "blobs") for blob in files(folder)]
