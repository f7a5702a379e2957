"""What a store knows of layers: what each became when it was compressed, and how it begins."""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_media_type
from dockless.oci.packing import Compression, Packing
from dockless.oci.untrusted_json import parse_as
from dockless.processes.regular import read_regular
from dockless.storage.drafts import write_draft
from dockless.storage.folders import is_inside, make_below, remove

_LEVELS = {"none": range(1), "gzip": range(1, 4), "zstd": range(1, 23)}
"""What the encoders take; see `Packing`."""


class _LayerEntry(Struct, frozen=True, kw_only=True):
    """A record as its file has it; older versions wrote no sum."""

    digest: str
    size: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    level: int
    sum: str | UnsetType = UNSET


class Record(NamedTuple):
    """What a layer has become.

    Attributes:
        layer: The blob.
        packing: How it was compressed.
        sealed: Whether a checksum in the record says that both are as they were written; older
            versions wrote none.
    """

    layer: Descriptor
    packing: Packing
    sealed: bool


class LayerRecords:
    """The records in a store's folder. It is only a cache: damaged records count as unknown.

    Attributes:
        folder: The store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._layers = folder / "layers"
        self._heads = folder / "heads"

    def layer(self, diff_id: Digest, compression: Compression) -> Descriptor | None:
        """Return the compressed form of a layer, if this store has a record of it."""
        record = self._record(diff_id, compression)
        return record and record.layer

    def packing(self, diff_id: Digest, compression: Compression) -> Packing | None:
        """Return how a layer became what `layer` returns."""
        record = self._record(diff_id, compression)
        return record and record.packing

    def remember(self, diff_id: Digest, packing: Packing, layer: Descriptor) -> None:
        """Keep what `layer` and `packing` will return."""
        entry = {"digest": str(layer.digest), "size": layer.size, "level": packing.level}
        entry["sum"] = _sum(diff_id, packing.compression, entry)
        self._write(self._layer_path(diff_id, packing.compression), json.dumps(entry).encode())

    def seen(self, head: str) -> Digest | None:
        """Return the diffID of the last layer with this head (see `head_of`)."""
        try:
            return Digest.parse(self._used(self._heads / head).decode())
        except (OSError, ValueError):
            return None

    def see(self, head: str, diff_id: Digest) -> None:
        """Keep what `seen` will return."""
        self._write(self._heads / head, str(diff_id).encode())

    def _record(self, diff_id: Digest, compression: Compression) -> Record | None:
        try:
            entry = parse_as(self._used(self._layer_path(diff_id, compression)), _LayerEntry)
            digest = Digest.parse(entry.digest)
        except (OSError, ValueError):
            return None
        if entry.sum not in (UNSET, _sum(diff_id, compression, asdict(entry))):
            return None
        if entry.level not in _LEVELS[compression]:
            return None
        kind = layer_media_type(compression)
        layer = Descriptor(media_type=kind, digest=digest, size=entry.size)
        packing = Packing(compression=compression, level=entry.level)
        return Record(layer, packing, entry.sum is not UNSET)

    def _forget(self, diff_id: Digest, compression: Compression) -> None:
        path = self._layer_path(diff_id, compression)
        if is_inside(self.folder, path):
            with contextlib.suppress(OSError):
                remove(path)

    def _used(self, path: Path) -> bytes:
        """Return the file's bytes, and mark it as used."""
        if not is_inside(self.folder, path):
            raise FileNotFoundError(path)
        data = read_regular(path, follow=False)
        os.utime(path)
        return data

    def _layer_path(self, diff_id: Digest, compression: Compression) -> Path:
        return self._layers / f"{diff_id.hex}.{compression}"

    def _write(self, path: Path, data: bytes) -> None:
        make_below(self.folder, path.parent)
        with contextlib.suppress(FileNotFoundError):  # another process prunes everything
            write_draft(path, data)


def head_of(size: int, first_block: bytes) -> str:
    """Return what tells most layers apart before they are read: their length and first block."""
    return hashlib.sha256(b"%d:%b" % (size, first_block)).hexdigest()


def _sum(diff_id: Digest, compression: Compression, entry: dict[str, object]) -> str:
    """Return the checksum of a record, which also says whose it is."""
    said = (str(diff_id), compression, *(str(entry[key]) for key in ("digest", "size", "level")))
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:16]
