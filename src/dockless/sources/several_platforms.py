"""Several platforms of an image: an index that lists these alone, which has a digest of its own."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import INDEXES, Descriptor, Manifest
from dockless.oci.platform import Platform
from dockless.oci.untrusted_json import parse_json
from dockless.ports import Image
from dockless.sources.files import Files
from dockless.sources.oci_layout import blob_name, checked, parsed
from dockless.sources.platform_choice import images_below, no_platform
from dockless.storage.staging import Layer

_ATTESTED = "vnd.docker.reference.digest"
"""What an attestation of BuildKit, which has no platform, is about (attestation-storage.md)."""


def pick_several(
    files: Files, root: Descriptor, wanted: Sequence[Platform]
) -> tuple[Files, Descriptor]:
    """Return an index of the images for some platforms alone, and the files that have it.

    An index with no others stays as it is, and so does what is no image. Attestations stay with
    their images.

    Args:
        files: The layout.
        root: The image or index.
        wanted: The platforms, each of which must be there.

    Raises:
        SourceError: There is no image for one of them, or a manifest is missing or damaged.
    """
    found = dict(images_below(files, root))
    if list(found.values()) == [None] and root in found:
        return files, root
    offered = [own for own in found.values() if own]
    refuse_missing(files.label, wanted, offered)
    if isinstance(parsed(files, root, checked(files, root)), Manifest):
        return files, root
    kept = {
        each.digest
        for each, own in found.items()
        if own and any(own.serves(platform) for platform in wanted)
    }
    reduction = _Reduction(files, kept)
    reduced = reduction.of(root)
    return _WithDocuments(files, reduction.made), reduced or root


def refuse_missing(label: str, wanted: Sequence[Platform], offered: Sequence[Platform]) -> None:
    """Raise SourceError where no image is for one of the platforms.

    Args:
        label: The source's name in messages.
        wanted: The platforms.
        offered: Those of its images.
    """
    for platform in wanted:
        if not any(own.serves(platform) for own in offered):
            raise no_platform(label, platform, offered)


def for_all(opened: Callable[[], Image], label: str, wanted: Sequence[Platform]) -> Image:
    """Return an image that cannot be divided, if it has these platforms and no others.

    Args:
        opened: Returns it.
        label: The source's name in messages.
        wanted: The platforms.

    Raises:
        SourceError: It lacks one, or has others.
    """
    image = opened()
    offered = image.content().platforms
    refuse_missing(label, wanted, offered)
    if others := [own for own in offered if not any(own.serves(each) for each in wanted)]:
        raise SourceError(
            f"{label} has {others[0]}, too, and can be taken with one platform or with all.",
            "Give one --platform, or save it to an archive first.",
        )
    return image


class _Reduction:
    """Makes indexes that list some images of others.

    Args:
        files: The layout.
        kept: The images that stay.

    Attributes:
        made: The indexes that were made, by the names of their files.
    """

    def __init__(self, files: Files, kept: Collection[Digest]) -> None:
        self.made: dict[str, bytes] = {}
        self._files = files
        self._kept = frozenset(map(str, kept))

    def of(self, root: Descriptor) -> Descriptor | None:
        """Return an index without what does not stay; None where nothing does."""
        data = checked(self._files, root)
        document: dict[str, Any] = parse_json(data)
        children = {str(each.digest): each for each in parsed(self._files, root, data).children}
        listed = [
            kept
            for each in document["manifests"]
            if (child := children.get(each["digest"])) and (kept := self._entry(each, child))
        ]
        if listed == document["manifests"]:
            return root
        if not listed:
            return None
        data = json.dumps(document | {"manifests": listed}, separators=(",", ":")).encode()
        self.made[blob_name(Digest.of(data))] = data
        return replace(root, digest=Digest.of(data), size=len(data))

    def _entry(self, entry: dict[str, Any], child: Descriptor) -> dict[str, Any] | None:
        """Return what stays of an index's entry, an index in it without what does not."""
        about = (entry.get("annotations") or {}).get(_ATTESTED)
        if {str(child.digest), about} & self._kept:
            return entry
        if child.media_type not in INDEXES or blob_name(child.digest) not in self._files:
            return None
        inner = self.of(child)
        return entry | {"digest": str(inner.digest), "size": inner.size} if inner else None


class _WithDocuments:
    """A layout with some more documents, as its `Files`."""

    def __init__(self, files: Files, documents: dict[str, bytes]) -> None:
        self.label = files.label
        self._files = files
        self._documents = documents

    @property
    def is_tar(self) -> bool:
        """Whether `layer` may be used."""
        return self._files.is_tar

    @property
    def names(self) -> Collection[str]:
        """The paths of its files and links."""
        return self._files.names

    def __contains__(self, name: object) -> bool:
        return name in self._documents or name in self._files

    def document(self, name: str) -> bytes:
        """Return a small file."""
        return self._documents.get(name) or self._files.document(name)

    def size(self, name: str) -> int:
        """Return a file's length in bytes."""
        return len(self._documents[name]) if name in self._documents else self._files.size(name)

    def layer(self, name: str) -> Layer:
        """Stage a file as a layer."""
        return self._files.layer(name)

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return a file with this blob, checked."""
        return self._files.blob(name, blob, diff_id)

    def check(self, name: str, blob: Descriptor) -> None:
        """Read a file through; raise SourceError when it is not this blob."""
        self._files.check(name, blob)
