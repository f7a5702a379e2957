"""`manifest.json`: what `docker load` and `podman load` look for in an archive.

A bundle has it next to index.json, for the same blobs, as Docker's own archives do since version
25. It names one image a name: of an index, the one for linux/amd64, or the first. Other content,
such as a signature, is left out.
"""

from collections.abc import Collection, Iterable

from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    Index,
    Manifest,
    compact_json,
    layer_compression,
    parse_document,
)
from dockless.oci.platform import Platform

FILE = "manifest.json"
_USUAL = Platform("linux", "amd64")


def docker_list(images: Iterable[tuple[str, Content]], absent: Collection[Digest]) -> bytes:
    """Return the file for images and their names, but for those that lack one of these blobs."""
    entries: dict[Digest, dict[str, object]] = {}
    tags: dict[Digest, list[str]] = {}
    for name, content in images:
        digest, manifest = _one(content)
        if manifest is None or "@" in name or not _loadable(manifest, absent):
            continue
        tags.setdefault(digest, []).append(name)
        entries[digest] = {
            "Config": _path(manifest.config.digest),
            "RepoTags": tags[digest],
            "Layers": [_path(layer.digest) for layer in manifest.layers],
        }
    return compact_json(list(entries.values()))


def _one(content: Content) -> tuple[Digest, Manifest | None]:
    digest = content.root.digest
    document = parse_document(content.documents[digest])
    while isinstance(document, Index):
        there = [each for each in document.children if each.digest in content.documents]
        usual = [each for each in there if each.platform and each.platform.serves(_USUAL)]
        if not there:
            return digest, None
        digest = (usual or there)[0].digest
        document = parse_document(content.documents[digest])
    return digest, document


def _loadable(manifest: Manifest, absent: Collection[Digest]) -> bool:
    whole = {manifest.config.digest, *(layer.digest for layer in manifest.layers)}
    return (
        manifest.config.media_type in CONFIGS
        and all(layer_compression(layer.media_type) for layer in manifest.layers)
        and whole.isdisjoint(absent)
    )


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"
