"""What a registry gives back, compared with what was pushed."""

import gzip
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import zstandard

from demo.image import Archive, digest

_SECONDS = 120
_ZSTD = bytes.fromhex("28b52ffd")


def pull(crane: Path, reference: str, folder: Path) -> Path:
    """Pull an image with crane into an OCI layout, which is returned."""
    argv = (crane, "pull", "--format=oci", reference, folder)
    subprocess.run(argv, check=True, capture_output=True, timeout=_SECONDS)
    return folder


def manifest_digest(layout: Path) -> str:
    """Return the digest of the one manifest in a layout."""
    (descriptor,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    return str(descriptor["digest"])


def differences(layout: Path, archive: Archive) -> list[str]:
    """Return what a pulled layout has otherwise than the archive; nothing when they are the same.

    Every blob is read to its end: the config, and each layer decompressed.
    """
    wanted = [archive.image_id, *(layer.diff_id for layer in archive.layers)]
    manifest = _manifest(layout)
    config = _blob(layout, manifest["config"]["digest"])
    stated = json.loads(config.read_bytes())["rootfs"]["diff_ids"]
    there = [digest(config), *map(str, stated)]
    kept = contents(layout)
    found = []
    if there != wanted:
        found.append(f"The config and its diffIDs are {there}, not {wanted}.")
    if kept != wanted[1:]:
        found.append(f"The layers' contents are {kept}, not {wanted[1:]}.")
    return found


def contents(layout: Path) -> list[str]:
    """Return the digest of each layer's bytes, decompressed."""
    layers = _manifest(layout)["layers"]
    return [_uncompressed(_blob(layout, each["digest"])) for each in layers]


def _manifest(layout: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_blob(layout, manifest_digest(layout)).read_bytes())
    return document


def _blob(layout: Path, name: str) -> Path:
    return layout / "blobs" / name.replace(":", "/")


def _uncompressed(path: Path) -> str:
    with path.open("rb") as file:
        zstd = file.read(len(_ZSTD)) == _ZSTD
    with zstandard.open(path) if zstd else gzip.open(path) as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
