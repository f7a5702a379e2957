"""Descriptors, manifests, indexes and configs, read from JSON and checked while they are.

The shapes are those of the OCI image-spec (descriptor.md, manifest.md, image-index.md,
config.md); Docker's schema 2 documents have the same shape under other media types.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

from msgspec import Struct

from dockless.oci.digest import Digest
from dockless.oci.platform import Platform
from dockless.oci.untrusted_json import parse_json

LONGEST_MANIFEST = 4 * 1024 * 1024
MOST_DOCUMENTS = 5000
"""How many manifests and indexes one image may have; the largest known have some hundred."""

"""Bytes; the minimum that registries must accept by the distribution-spec, and our maximum."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"

MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_INDEX})
CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})

UNKNOWN = "unknown"
"""What stands for the OS and architecture of what is no image, such as an attestation."""

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

_OCI_LAYER_KINDS = {
    OCI_LAYER: "none",
    f"{OCI_LAYER}+gzip": "gzip",
    f"{OCI_LAYER}+zstd": "zstd",
    DOCKER_LAYER: "none",
    f"{DOCKER_LAYER}.gzip": "gzip",
    f"{DOCKER_LAYER}.zstd": "zstd",
}


_SCHEMA_VERSION = 2
_TOO_LARGE = 1 << 63
_LONGEST_SHOWN = 40
_FOREIGN = ("nondistributable.", "foreign.")


class Descriptor(Struct, frozen=True, kw_only=True):
    """A manifest's or index's reference to another document or blob.

    Attributes:
        media_type: The type of what it points to.
        digest: The digest of what it points to.
        size: Its size in bytes.
        platform: The platform it is for, when it says.
        annotations: Its annotations, in order.
        urls: Other download locations. Any descriptor may have some, not only foreign layers.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def foreign(self) -> bool:
        """Whether it is a non-distributable layer, by its media type.

        OCI image-spec, 'Non-Distributable Layers', and Docker's foreign layers.
        """
        return bool(self.urls) and any(each in self.media_type for each in _FOREIGN)

    def annotation(self, key: str) -> str:
        """Return the annotation's value, or empty."""
        return dict(self.annotations).get(key, "")

    def to_json(self) -> dict[str, object]:
        """Return the JSON object, members in the order the image-spec lists them."""
        members: dict[str, object] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            members["annotations"] = dict(self.annotations)
        return members


class Manifest(Struct, frozen=True, kw_only=True):
    """An image manifest: one config and its layers, the lowest first.

    Attributes:
        media_type: Docker's or the OCI's.
        config: The config.
        layers: The layers.
        subject: The manifest to which this one, a signature or an SBOM, refers; None for none.
    """

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Digest | None = None

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """The documents that it leads to: none."""
        return ()

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The blobs that it leads to and that a registry keeps: its config, and its layers."""
        return tuple(blob for blob in (self.config, *self.layers) if not blob.foreign)


class Index(Struct, frozen=True):
    """An image index: descriptors of manifests, of further indexes, or of blobs.

    The image-spec lets an index list anything; BuildKit's cache is an index of layers and a config.

    Attributes:
        media_type: Docker's or the OCI's.
        manifests: What it lists.
        subject: The manifest to which this index refers; None for none.
    """

    media_type: str
    manifests: tuple[Descriptor, ...]
    subject: Digest | None = None

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """The manifests and indexes that it lists, by their types."""
        return tuple(each for each in self.manifests if each.media_type in MANIFESTS | INDEXES)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Whatever else it lists and a registry keeps, which are blobs there."""
        others = (each for each in self.manifests if each.media_type not in MANIFESTS | INDEXES)
        return tuple(each for each in others if not each.foreign)


class NoRootfsError(ValueError):
    """A config, such as `{}`, that says nothing of layers."""


class Config(Struct, frozen=True):
    """The parts of an image config that are used here.

    Attributes:
        platform: What the image runs on.
        diff_ids: The digests of the uncompressed layers, the lowest first.
    """

    platform: Platform
    diff_ids: tuple[Digest, ...]


def layer_compression(media_type: str) -> str | None:
    """Return `none`, `gzip` or `zstd` for a layer's media type, or None for another type."""
    return _OCI_LAYER_KINDS.get(media_type.replace("nondistributable.", "").replace("foreign.", ""))


def layer_media_type(compression: str) -> str:
    """Return the OCI media type of a layer compressed as `none`, `gzip` or `zstd`."""
    return OCI_LAYER if compression == "none" else f"{OCI_LAYER}+{compression}"


def parse_document(data: bytes) -> Manifest | Index:
    """Read a manifest or an index.

    Raises:
        ValueError: It is neither; the message says what is wrong.
    """
    members = _object(data)
    kind = members.get("mediaType", "")
    if not isinstance(kind, str):
        raise ValueError("its mediaType is not a string")
    version = members.get("schemaVersion", _SCHEMA_VERSION)
    if version != _SCHEMA_VERSION or isinstance(version, float):
        raise ValueError(f"its schemaVersion is {version!r}, and must be {_SCHEMA_VERSION}")
    if kind in INDEXES or (not kind and "manifests" in members):
        entries = _list(members, "manifests")
        listed = tuple(parse_descriptor(entry) for entry in entries)
        return Index(kind or OCI_INDEX, listed, _subject(members))
    if kind in MANIFESTS or (not kind and "layers" in members):
        # peers take one without the member, which then must not be an index as well
        none = "layers" not in members and "manifests" not in members
        layers = tuple(map(parse_descriptor, [] if none else _list(members, "layers")))
        config = parse_descriptor(members.get("config"))
        return Manifest(
            media_type=kind or OCI_MANIFEST, config=config, layers=layers, subject=_subject(members)
        )
    raise ValueError(f"it is neither an image manifest nor an index (mediaType {kind!r})")


def parse_config(data: bytes) -> Config:
    """Read an image config.

    Raises:
        NoRootfsError: It is JSON, and says nothing of layers.
        ValueError: It is not an image config.
    """
    members = _object(data)
    rootfs = members.get("rootfs")
    if rootfs is None:
        raise NoRootfsError("the config has no rootfs")
    if not isinstance(rootfs, dict):
        raise ValueError("the config's rootfs is not an object")
    # null is what Docker writes for an image without layers
    diff_ids = rootfs.get("diff_ids") or []
    if not isinstance(diff_ids, list) or not all(isinstance(entry, str) for entry in diff_ids):
        raise ValueError("the config's rootfs.diff_ids is not a list of digests")
    platform = Platform(
        _text(members, "os") or "linux",
        _text(members, "architecture") or UNKNOWN,
        _text(members, "variant"),
    )
    return Config(platform, tuple(Digest.parse(entry) for entry in diff_ids))


def parse_descriptor(entry: object) -> Descriptor:
    """Read a descriptor's JSON object; raise ValueError when a member is missing or wrong."""
    if not isinstance(entry, dict):
        raise ValueError("a descriptor is not a JSON object")
    size, media_type, digest = entry.get("size"), entry.get("mediaType"), entry.get("digest")
    if not is_size(size):
        raise ValueError(f"a descriptor's size is {repr(size)[:_LONGEST_SHOWN]}")
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise ValueError("a descriptor lacks its mediaType or digest")
    annotations = entry.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise ValueError("a descriptor's annotations are not an object")
    urls = entry.get("urls") or []
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ValueError("a descriptor's urls are not a list of strings")
    return Descriptor(
        media_type=media_type,
        digest=Digest.parse(digest),
        size=size,
        platform=_platform(entry.get("platform")),
        annotations=tuple((key, _text(annotations, key)) for key in annotations),
        urls=tuple(urls),
    )


def is_size(size: object) -> TypeGuard[int]:
    """Whether this is a number of bytes that a file can have."""
    return isinstance(size, int) and not isinstance(size, bool) and 0 <= size < _TOO_LARGE


def image_manifest(config: Descriptor, layers: tuple[Descriptor, ...]) -> bytes:
    """Return the bytes of an OCI image manifest; the same input gives the same bytes."""
    return compact_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
    )


def compact_json(document: object) -> bytes:
    """Return JSON without blanks, members in the order given."""
    try:
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can say
        return json.dumps(document, separators=(",", ":")).encode()


def _text(members: Mapping[str, Any], key: str) -> str:
    """Return a single value as text; empty for none."""
    value = members.get(key)
    if isinstance(value, dict | list):
        raise ValueError(f"its {key} is not a single value")
    return "" if value is None else str(value)


def _subject(members: Mapping[str, Any]) -> Digest | None:
    entry = members.get("subject")
    return parse_descriptor(entry).digest if entry is not None else None


def _platform(entry: object) -> Platform | None:
    if not isinstance(entry, dict):
        return None
    return Platform(_text(entry, "os"), _text(entry, "architecture"), _text(entry, "variant"))


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        members = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise ValueError("it is not a JSON object")
    return members


def _list(members: Mapping[str, Any], key: str) -> list[object]:
    entries = members.get(key)
    if entries is None and key in members:  # Go's programs write null for none, and read it so
        return []
    if not isinstance(entries, list):
        raise ValueError(f"its {key} is not a list")
    return entries
