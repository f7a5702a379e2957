"""The blob store: content-addressed files that outlive a push, and what is known of layers.

Below the store's folder:

- `blobs/sha256/HEX`: a blob. It gets this name only when it is complete.
- `unflushed/BOOT.ALGORITHM.HEX`: marks a blob that may not be on the disk yet, and the boot of the
  machine that wrote it. The next push flushes it, when the system has long written it by itself;
  after a crash of the machine it is read and compared before anybody trusts it.
- `layers/HEX.COMPRESSION`: of a layer's diffID, the descriptor of its compressed form, and how it
  became that.
- `heads/HEX`: of a layer's length and first block, the diffID it had when last seen.
- `runs/NAME/`: the staging area of a push that is going on; left-overs are swept by the next one.
- `locks/`: which process is at work on what.

Deleting any of it at any moment loses nothing but time.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dockless.layout.links import place
from dockless.model.digest import Digest
from dockless.model.errors import NetworkError, UsageError
from dockless.model.manifest import Descriptor, layer_media_type
from dockless.model.packing import Compression, Packing

DEFAULT_LIMIT = 20 * 1000**3
"""Bytes of blobs kept when nobody says otherwise."""

_LOCK_NAMES = 2
_LOOK_SECONDS = 0.05
_WRITTEN_BY_THEN_SECONDS = 60  # Linux writes by itself after 30 (vm.dirty_expire_centisecs)
_RECORDS_KEPT_SECONDS = 90 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Usage:
    """How much the store holds.

    Attributes:
        blobs: How many blobs.
        size: Their bytes.
        layers: How many layers are known, whether or not their blob is still there.
    """

    blobs: int
    size: int
    layers: int


class BlobStore:
    """The store in one folder, shared by every push of this user.

    Attributes:
        folder: Where it is.
        until: The moment, on the clock of `time.monotonic`, when waiting for the locks of others
            ends; None for none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.until: float | None = None
        self._blobs = folder / "blobs"
        self._layers = folder / "layers"
        self._heads = folder / "heads"
        self._runs = folder / "runs"
        self._locks = folder / "locks"
        self._unflushed = folder / "unflushed"

    def blob(self, digest: Digest) -> Path | None:
        """Return the blob's file, and mark it as used; None when the store lacks it."""
        path = self._blob_path(digest)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def adopt(self, path: Path, digest: Digest) -> None:
        """Take a complete file in as this blob; the file stays, too."""
        target = self._blob_path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        boot = _boot()
        if boot:
            # before the blob has its name: file systems keep the order of names
            self._unflushed.mkdir(exist_ok=True)
            (self._unflushed / f"{boot}.{digest.algorithm}.{digest.hex}").touch()
        else:
            _flush(path)
        with contextlib.suppress(FileExistsError):
            place(path, target)

    def _settle(self) -> None:
        """Make sure of every blob that an earlier push left to the system to write."""
        boot = _boot()
        for mark in self._unflushed.iterdir() if self._unflushed.is_dir() else ():
            written_by, algorithm, name = mark.name.split(".")
            blob = self._blob_path(Digest(algorithm, name))
            with contextlib.suppress(FileNotFoundError):
                if written_by == boot:
                    if time.time() - mark.stat().st_mtime < _WRITTEN_BY_THEN_SECONDS:
                        continue
                    _flush(blob)
                elif not _is(blob, Digest(algorithm, name)):
                    blob.unlink()
            mark.unlink(missing_ok=True)

    def layer(self, diff_id: Digest, compression: Compression) -> Descriptor | None:
        """Return what a layer becomes when compressed, if this store ever saw it done."""
        record = self._record(diff_id, compression)
        return record and record[0]

    def packing(self, diff_id: Digest, compression: Compression) -> Packing | None:
        """Return how a layer became what `layer` returns."""
        record = self._record(diff_id, compression)
        return record and record[1]

    def _record(
        self, diff_id: Digest, compression: Compression
    ) -> tuple[Descriptor, Packing] | None:
        try:
            entry = json.loads(_used(self._layer_path(diff_id, compression)))
            digest, size, level = Digest.parse(entry["digest"]), entry["size"], entry["level"]
            layer = Descriptor(layer_media_type(compression), digest, int(size))
            return layer, Packing(compression, int(level))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, diff_id: Digest, packing: Packing, layer: Descriptor) -> None:
        """Keep what `layer` and `packing` will return."""
        entry = {"digest": str(layer.digest), "size": layer.size, "level": packing.level}
        _write(self._layer_path(diff_id, packing.compression), json.dumps(entry).encode())

    def seen(self, head: str) -> Digest | None:
        """Return the diffID of the last layer with this head (see `head_of`)."""
        try:
            return Digest.parse(_used(self._heads / head).decode())
        except (OSError, ValueError):
            return None

    def see(self, head: str, diff_id: Digest) -> None:
        """Keep what `seen` will return."""
        _write(self._heads / head, str(diff_id).encode())

    def exclusive(self, head: str) -> IO[bytes]:
        """Wait until nobody else stages a layer with this head; closing the file lets them in."""
        return self._locked(head[:_LOCK_NAMES])

    def turn(self, name: str) -> IO[bytes]:
        """Wait until no other process of this user has this turn; closing the file ends it."""
        return self._locked(name)

    def turn_if_free(self, name: str) -> IO[bytes] | None:
        """Return what `turn` does, or None where another process has it; waits for nobody."""
        self._locks.mkdir(parents=True, exist_ok=True)
        lock = (self._locks / name).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def _locked(self, name: str) -> IO[bytes]:
        self._locks.mkdir(parents=True, exist_ok=True)
        lock = (self._locks / name).open("wb")
        try:
            self._wait_for(lock)
        except BaseException:
            lock.close()
            raise
        return lock

    def _wait_for(self, lock: IO[bytes]) -> None:
        """Wait until a lock is ours; a signal ends that, and so does `until`.

        Raises:
            NetworkError: That moment has come.
        """
        if self.until is None:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() >= self.until:
                raise NetworkError(
                    "Another dockless works on the same, and did not end in the time given by "
                    "--timeout.",
                    "Wait for it, or give more time.",
                    passing=False,
                )
            time.sleep(_LOOK_SECONDS)

    @contextlib.contextmanager
    def run(self) -> Iterator[Path]:
        """Yield a new folder for one push; it goes with the block, or with the next push.

        Raises:
            UsageError: The store's folder cannot be written to.
        """
        folder = self._runs / f"{os.getpid()}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._runs.mkdir(exist_ok=True)
            with self._locked("runs"):  # or another's sweep could meet a folder before its lock
                self._sweep()
                self._settle()
                folder.mkdir()
                lock = (folder / "lock").open("wb")
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise UsageError(
                f"The store {self.folder} cannot be used: {error.strerror}.",
                "Set DOCKLESS_CACHE_DIR to a folder that this user may write to.",
            ) from None
        try:
            with lock:
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove the folders of pushes that were killed."""
        for folder in self._runs.iterdir():
            with contextlib.suppress(OSError), (folder / "lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)

    def usage(self) -> Usage:
        """Measure the store."""
        sizes = [stat.st_size for _, stat in self._every_blob()]
        return Usage(len(sizes), sum(sizes), len(_files(self._layers)))

    def prune(self, limit: int) -> int:
        """Delete blobs, the least recently used first, until `limit` bytes are left.

        A blob that has a second name is linked by a running push, and deleting it here would free
        nothing: it stays. What is known of layers is kept for 90 days after its last use: a
        registry that has the compressed layer needs no blob from here.

        Returns:
            The bytes that were freed.
        """
        if self._runs.is_dir():
            with self._locked("runs"):
                self._sweep()
        blobs = sorted(self._every_blob(), key=lambda blob: blob[1].st_mtime_ns)
        total = sum(stat.st_size for _, stat in blobs)
        freed = 0
        for path, stat in blobs:
            if total - freed <= limit:
                break
            if stat.st_nlink > 1:
                continue
            path.unlink(missing_ok=True)
            freed += stat.st_size
        oldest = time.time() - _RECORDS_KEPT_SECONDS
        for folder in (self._layers, self._heads):
            for path, stat in _files(folder):
                if limit == 0 or stat.st_mtime < oldest:
                    path.unlink(missing_ok=True)
        return freed

    def _blob_path(self, digest: Digest) -> Path:
        return self._blobs / digest.algorithm / digest.hex

    def _every_blob(self) -> list[tuple[Path, os.stat_result]]:
        return [blob for folder, _ in _files(self._blobs) for blob in _files(folder)]

    def _layer_path(self, diff_id: Digest, compression: Compression) -> Path:
        return self._layers / f"{diff_id.hex}.{compression}"


def head_of(size: int, first_block: bytes) -> str:
    """Return what tells most layers apart before they are read: their length and first block."""
    return hashlib.sha256(b"%d:%b" % (size, first_block)).hexdigest()


@functools.cache
def _boot() -> str:
    """Return what tells this boot of the machine from others; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _is(path: Path, digest: Digest) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, digest.algorithm).hexdigest() == digest.hex


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Return what is in a folder, but for what another push deletes at this moment."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            found.append((path, path.stat()))
    return found


def _used(path: Path) -> bytes:
    """Return the file's bytes, and mark it as used."""
    os.utime(path)
    return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(data)
    with contextlib.suppress(FileNotFoundError):  # somebody prunes everything
        draft.replace(path)
