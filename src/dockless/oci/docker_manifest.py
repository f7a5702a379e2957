"""An image with Docker's media types instead of the OCI's, for registries that accept no others.

The blobs stay as they are, and so does the image ID; the manifests are other documents, so the
image's digest is another one. The types are those of Docker's 'Image Manifest Version 2, Schema 2',
which has no annotations, no subject and no zstd.
"""

from typing import Any

from msgspec.structs import replace

from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    INDEXES,
    OCI_LAYER,
    Descriptor,
    Index,
    compact_json,
    parse_document,
)
from dockless.oci.untrusted_json import parse_json

_OCI_FOREIGN = OCI_LAYER.replace("layer.", "layer.nondistributable.")
_DOCKER_FOREIGN = DOCKER_LAYER.replace("rootfs.", "rootfs.foreign.")
_LAYERS = {
    OCI_LAYER: DOCKER_LAYER,
    f"{OCI_LAYER}+gzip": f"{DOCKER_LAYER}.gzip",
    _OCI_FOREIGN: _DOCKER_FOREIGN,
    f"{_OCI_FOREIGN}+gzip": f"{_DOCKER_FOREIGN}.gzip",
}
_KEPT = frozenset(_LAYERS.values())


class NoDockerFormError(ValueError):
    """Docker's media types cannot represent an image.

    Args:
        why: Part of a sentence.
        remedy: What to do about it, as a sentence.
    """

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


def docker_form(content: Content) -> Content:
    """Return an image with Docker's media types; the same one if it has no others.

    Raises:
        NoDockerFormError: They cannot represent it.
    """
    made: dict[Digest, tuple[Descriptor, bytes]] = {}
    for digest in content.children_first():
        data = content.documents[digest]
        new = _document(data, made)
        root = Descriptor(
            media_type=parse_document(new).media_type, digest=Digest.of(new), size=len(new)
        )
        made[digest] = (root, new)
    top, _ = made[content.root.digest]
    configs = content.configs()
    blobs = tuple(
        replace(blob, media_type=_config(blob.media_type) if blob.digest in configs else kind)
        for blob in content.blobs
        for kind in [_LAYERS.get(blob.media_type, blob.media_type)]
    )
    documents = {descriptor.digest: data for descriptor, data in made.values()}
    return replace(content, root=top, documents=documents, blobs=blobs)


def _document(data: bytes, made: dict[Digest, tuple[Descriptor, bytes]]) -> bytes:
    document = parse_document(data)
    if document.subject:
        raise NoDockerFormError(
            "it has a `subject`, which Docker's manifests cannot have",
            "Push it to a registry that accepts OCI manifests, or mirror with --no-referrers.",
        )
    members = parse_json(data)
    if isinstance(document, Index):
        if len(document.children) != len(document.manifests):
            raise NoDockerFormError(
                "its index lists what is no manifest, which Docker's do not",
                "Push it to a registry that takes OCI manifests.",
            )
        listed = zip(document.manifests, members["manifests"], strict=True)
        manifests = [_child(entry, made[child.digest][0]) for child, entry in listed]
        kept = all(made[child.digest][0].digest == child.digest for child in document.manifests)
        if document.media_type == DOCKER_INDEX and kept:
            return data
        return compact_json({"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": manifests})
    if document.media_type == DOCKER_MANIFEST:
        return data
    return compact_json(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": _described(members["config"], _config(document.config.media_type)),
            "layers": [
                _described(entry, _layer(layer.media_type))
                for layer, entry in zip(document.layers, members["layers"], strict=True)
            ],
        }
    )


def _child(entry: dict[str, Any], new: Descriptor) -> dict[str, object]:
    """Return the index's descriptor for a manifest whose bytes have changed."""
    if new.media_type in INDEXES:
        raise NoDockerFormError(
            "it is an index that lists an index, which Docker's manifest lists cannot",
            "Push one platform of it, with --platform.",
        )
    moved = {"mediaType": new.media_type, "size": new.size, "digest": str(new.digest)}
    return moved | {key: entry[key] for key in ("platform",) if key in entry}


def _described(entry: dict[str, Any], media_type: str) -> dict[str, object]:
    kept = {"mediaType": media_type, "size": entry["size"], "digest": entry["digest"]}
    return kept | {key: entry[key] for key in ("urls",) if entry.get(key)}


def _config(media_type: str) -> str:
    if media_type not in CONFIGS:
        raise NoDockerFormError(
            f"its config has the type {media_type}, which Docker images do not have",
            "Push it to a registry that accepts OCI manifests.",
        )
    return DOCKER_CONFIG


def _layer(media_type: str) -> str:
    if media_type in _KEPT:
        return media_type
    if media_type.endswith("+zstd"):
        raise NoDockerFormError(
            "it has layers in zstd, which Docker's manifests do not have",
            "Push with --compression gzip.",
        )
    if media_type not in _LAYERS:
        raise NoDockerFormError(
            f"it has a layer of the type {media_type}, which Docker images do not have",
            "Leave attestations out: push one platform of it, with --platform.",
        )
    return _LAYERS[media_type]
