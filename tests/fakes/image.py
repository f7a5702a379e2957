"""An image in memory."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from dockless.oci.content import Content, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Descriptor,
    image_manifest,
    layer_media_type,
)
from fakes.journal import Journal


class FakeImage:
    """The image, as a `ports.Image`.

    Args:
        folder: Where `paths` puts its files.
        layers: The layers, uncompressed.
        journal: Where its steps are written down.
    """

    digest_is_new = True
    known_digest: Digest | None = None

    def __init__(
        self,
        folder: Path,
        layers: tuple[bytes, ...] = (b"base", b"app"),
        journal: Journal | None = None,
    ) -> None:
        self._folder = folder
        self._journal = journal or Journal()
        diff_ids = [str(Digest.of(layer)) for layer in layers]
        self._config = json.dumps(
            {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diff_ids}}
        ).encode()
        self._blobs = {Digest.of(data): data for data in (self._config, *layers)}
        self._layers = tuple(_descriptor(layer_media_type("none"), layer) for layer in layers)

    def content(self) -> Content:
        """Return the image as it is pushed."""
        self._journal.step("content")
        manifest = image_manifest(_descriptor(OCI_CONFIG, self._config), self._layers)
        return single(_descriptor(OCI_MANIFEST, manifest), manifest, self._config)

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a file for each of these blobs."""
        self._journal.step("paths")
        self._folder.mkdir(exist_ok=True)
        found = {}
        for digest in digests:
            found[digest] = self._folder / digest.hex
            found[digest].write_bytes(self._blobs[digest])
        return found


def _descriptor(media_type: str, data: bytes) -> Descriptor:
    return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))
