"""Images as skopeo's `dir:` keeps them: a manifest, and blobs named by their digests.

containers-transports(5), 'dir:path'. The manifests of an index stand in `HEX.manifest.json` (seen
with skopeo 1.9.3 and 1.22.0); what has no sha256 digest has the algorithm before it.
"""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, compact_json, parse_document
from dockless.ports import Progress
from dockless.sources.directory import Folder

_VERSION = b"Directory Transport Version: "
_MANIFEST, _INDEX, _BLOBS = "manifest.json", "index.json", "blobs/"


def is_dir_transport(folder: Path) -> bool:
    """Whether a folder says that it is such an image."""
    try:
        with (folder / "version").open("rb") as file:
            return file.read(len(_VERSION)) == _VERSION
    except OSError:
        return False


class DirTransport(Folder):
    """Such an image, as the OCI layout that has the same content."""

    @cached_property
    def _root(self) -> Descriptor:
        data = super().document(_MANIFEST)
        try:
            media_type = parse_document(data).media_type
        except ValueError as error:
            raise SourceError(
                f"{self.label} is a folder of skopeo's dir:, and its {_MANIFEST} cannot be pushed: "
                f"{error}.",
                "Copy the image there again.",
            ) from None
        return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))

    def __contains__(self, name: object) -> bool:
        if name in (_INDEX, _MANIFEST):  # which is none of 'docker save'
            return name == _INDEX
        return super().__contains__(name)

    def document(self, name: str) -> bytes:
        """Return a small file; the layout's index.json is made here."""
        if name == _INDEX:
            return compact_json({"schemaVersion": 2, "manifests": [self._root.to_json()]})
        return super().document(name)

    def _inside(self, name: str) -> Path:
        return super()._inside(self._own_name(name))

    def _own_name(self, name: str) -> str:
        if not name.startswith(_BLOBS):
            return name
        algorithm, _, encoded = name.removeprefix(_BLOBS).partition("/")
        if f"{algorithm}:{encoded}" == str(self._root.digest):
            return _MANIFEST
        plain = encoded if algorithm == "sha256" else f"{algorithm}-{encoded}"
        manifest = f"{plain}.{_MANIFEST}"
        return manifest if os.path.isfile(self._path / manifest) else plain  # noqa: PTH113 - raises nothing


def folder_files(
    path: Path, label: str, progress: Progress, offer: Callable[[Descriptor, Path], None]
) -> Folder:
    """Return the files of an OCI layout, or of a folder of `dir:`; the arguments are `Folder`'s."""
    kind = DirTransport if is_dir_transport(path) else Folder
    return kind(path, label, progress, offer)
