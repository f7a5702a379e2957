"""Images in docker-archives: the tars of `docker save`, `podman save` and skopeo.

`manifest.json` lists, for each image, a config file, the names, and one file for each layer, the
lowest first. The layers are compressed here, so the manifest is ours and the config, hence the
image ID, is the source's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from dockless.errors import LostCopyError, SourceError
from dockless.model.counts import number
from dockless.oci.content import Content, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Config,
    Descriptor,
    image_manifest,
    parse_config,
)
from dockless.oci.platform import Platform
from dockless.oci.untrusted_json import go_member, parse_json
from dockless.sources.files import Files, missing
from dockless.sources.safe_names import safe_name
from dockless.storage.checks import mismatch
from dockless.storage.staged_blobs import deleted_copy
from dockless.storage.staging import Staging

Parsed = TypeVar("Parsed")


class ArchiveEntry(Struct, frozen=True):
    """One image of a docker-archive.

    Attributes:
        config: The file with its config.
        names: Its full names, `repository:tag`.
        layers: The files with its layers, the lowest first.
    """

    config: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


def entries(files: Files) -> tuple[ArchiveEntry | SourceError, ...]:
    """Return the images that an archive's manifest.json lists; for a faulty one, why.

    Raises:
        SourceError: There is none, or the only one is faulty.
    """
    label = f"{files.label}: manifest.json"
    try:
        listed = parse_json(files.document("manifest.json"))
    except ValueError:
        raise _malformed(label, "it is not JSON") from None
    if not isinstance(listed, list):
        raise _malformed(label, "it is not a list")
    if not listed:
        raise SourceError(f"{label} lists no image.")
    return isolated(partial(_entry, item, f"{label}: [{n}]") for n, item in enumerate(listed))


def isolated(reads: Iterable[Callable[[], Parsed]]) -> tuple[Parsed | SourceError, ...]:
    """Return what each of these reads; a faulty entry of several stops only itself.

    Raises:
        SourceError: The only one is faulty.
    """
    found: list[Parsed | SourceError] = []
    for read in reads:
        try:
            found.append(read())
        except SourceError as error:
            found.append(error)
    if len(found) == 1 and isinstance(found[0], SourceError):
        raise found[0]
    return tuple(found)


def _entry(item: object, label: str) -> ArchiveEntry:
    if not isinstance(item, dict):
        raise _malformed(label, "it is not a JSON object")
    config = go_member(item, "Config")
    if not isinstance(config, str):
        raise _malformed(label, "its Config is not the name of a file")
    return ArchiveEntry(
        safe_name(config, label),
        # podman and old Docker may write "<none>:<none>" for an image without a name
        tuple(name for name in _texts(item, "RepoTags", label) if "<none>" not in name),
        tuple(safe_name(name, label) for name in _texts(item, "Layers", label)),
    )


def _texts(item: Mapping[str, object], key: str, label: str) -> tuple[str, ...]:
    """Return a member that is a list of texts; none where it is null, empty or missing."""
    texts = go_member(item, key) or []
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise _malformed(label, f"its {key} is not a list of strings")
    return tuple(texts)


def _malformed(label: str, why: str) -> SourceError:
    return SourceError(
        f"{label} is not in the format of 'docker save': {why}.", "Save the image again."
    )


class UnpackedImage:
    """An image whose layers are tars still to be compressed."""

    digest_is_new = True
    known_digest = None

    def __init__(
        self, files: Files, entry: ArchiveEntry, staging: Staging, platform: Platform | None
    ) -> None:
        self._files = files
        self._entry = entry
        self._staging = staging
        self._layers: tuple[Descriptor, ...] = ()
        self._content: Content | None = None
        for name in (entry.config, *entry.layers):
            if name not in files:
                raise missing(files.label, name)
        self._config = files.document(entry.config)
        self.config = read_config(self._config, f"{files.label}: {entry.config}")
        if platform and not self.config.platform.serves(platform):
            raise SourceError(
                f"{files.label} has no image for {platform}.", f"It has: {self.config.platform}."
            )
        if len(self.config.diff_ids) != len(entry.layers):
            raise SourceError(
                f"{files.label} is damaged: the config lists "
                f"{number(len(self.config.diff_ids), 'layer')}, but manifest.json lists "
                f"{len(entry.layers)}.",
                "Save the image again.",
            )

    @property
    def image_id(self) -> Digest:
        """The digest of the config."""
        return Digest.of(self._config)

    def content(self) -> Content:
        """Return the image as it will be pushed; layers never seen before are compressed."""
        if self._content is None:
            self._layers = self._staged_layers()
            self._content = assemble(self._config, self._layers, self._staging)
        return self._content

    def _staged_layers(self) -> tuple[Descriptor, ...]:
        layers = known_layers(self.config, self._staging)
        names = dict(zip(self.config.diff_ids, self._entry.layers, strict=True))
        new = [diff_id for diff_id in names if diff_id not in layers]
        # the largest first: it is then on its way while the others are compressed
        for diff_id in sorted(new, key=lambda diff_id: -self._files.size(names[diff_id])):
            layers[diff_id] = self._layer(names[diff_id], diff_id)
        return tuple(layers[diff_id] for diff_id in self.config.diff_ids)

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a file for each of these blobs, compressing again what the store has lost.

        Raises:
            LostCopyError: One was lost in the meantime; `content` may return another image now.
        """
        content = self.content()
        for name, diff_id, layer in zip(
            self._entry.layers, self.config.diff_ids, self._layers, strict=True
        ):
            if layer.digest in digests and self._staging.path(layer.digest, layer.size) is None:
                again = self._layer(name, diff_id)
                if again.digest != layer.digest:
                    self._content = None
                    raise LostCopyError(
                        f"Layer {diff_id} compresses to other bytes than when it was first staged.",
                        "Run it again: the new compressed form will be used.",
                    )
        if self.image_id in digests and self._staging.path(self.image_id) is None:
            self._staging.document(self._config, OCI_CONFIG)
        staged = staged_paths(content, digests, self._staging)
        lost = next((digest for digest in digests if digest not in staged), None)
        if lost:
            raise deleted_copy(lost)
        return staged

    def _layer(self, name: str, diff_id: Digest) -> Descriptor:
        layer = self._files.layer(name)
        if layer.diff_id != diff_id:
            raise mismatch(f"{self._files.label}: {name}", layer.diff_id, diff_id)
        return layer.descriptor


def read_config(data: bytes, label: str) -> Config:
    """Read an image config; raise SourceError when it is none."""
    try:
        return parse_config(data)
    except ValueError as error:
        raise SourceError(f"{label} is not an image config: {error}.") from None


def known_layers(config: Config, staging: Staging) -> dict[Digest, Descriptor]:
    """Return the layers whose compressed form is known, by diffID."""
    found = {diff_id: staging.known(diff_id) for diff_id in config.diff_ids}
    return {diff_id: layer for diff_id, layer in found.items() if layer}


def assemble(config: bytes, layers: tuple[Descriptor, ...], staging: Staging) -> Content:
    """Return the content of an image with this config and these layers; the config is staged."""
    descriptor = staging.document(config, OCI_CONFIG)
    manifest = image_manifest(descriptor, layers)
    root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(manifest), size=len(manifest))
    return single(root, manifest, config)


def staged_paths(
    content: Content, digests: Collection[Digest], staging: Staging
) -> Mapping[Digest, Path]:
    """Return the staged file of each of these blobs, as far as there is one."""
    found = {
        blob.digest: staging.path(blob.digest, blob.size)
        for blob in content.blobs
        if blob.digest in digests
    }
    return {digest: path for digest, path in found.items() if path}
