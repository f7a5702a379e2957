"""What a bundle holds: `bundle.lock.json`, which is the same for the same images."""

import json
from collections.abc import Mapping

from msgspec import Struct

from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, is_size
from dockless.oci.untrusted_json import parse_json

FILE = "bundle.lock.json"
_VERSION = 1


class Locked(Struct, frozen=True):
    """One image of a bundle.

    Attributes:
        name: Its full name.
        source: Where it came from.
        root: Its manifest or index.
        platforms: What it runs on.
        blobs: Every config and layer, with its size.
    """

    name: str
    source: str
    root: Descriptor
    platforms: tuple[str, ...]
    blobs: tuple[tuple[Digest, int], ...]

    @classmethod
    def of(cls, name: str, source: str, content: Content) -> "Locked":
        """Return the entry of an image."""
        return cls(
            name,
            source,
            content.root,
            tuple(str(platform) for platform in content.platforms),
            tuple((blob.digest, blob.size) for blob in content.blobs),
        )


class Lock(Struct, frozen=True):
    """A bundle's lock file.

    Attributes:
        images: Every image.
        elsewhere: Layers that the bundle leaves out, since an older one has them.
        docker_list: The digest of its manifest.json, for docker and podman.
    """

    images: tuple[Locked, ...]
    elsewhere: frozenset[Digest] = frozenset()
    docker_list: Digest | None = None


def lock_text(lock: Lock) -> str:
    """Return the text of a lock file; the images stand in the order of their names."""
    document = {
        "lockVersion": _VERSION,
        "images": [_members(each) for each in sorted(lock.images, key=lambda each: each.name)],
        "elsewhere": sorted(map(str, lock.elsewhere)),
        "manifest.json": str(lock.docker_list) if lock.docker_list else None,
    }
    return json.dumps(document, indent=2) + "\n"


def read_lock(data: bytes) -> Lock:
    """Read a lock file; raise ValueError with the reason when it is invalid."""
    try:
        document = parse_json(data)
        if document["lockVersion"] != _VERSION:
            raise ValueError(f"its version is {document['lockVersion']}")
        return Lock(
            tuple(map(_locked, document["images"])),
            frozenset(map(Digest.parse, document.get("elsewhere", ()))),
            Digest.parse(listed) if (listed := document.get("manifest.json")) else None,
        )
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"it lacks {error}") from None


def _members(each: Locked) -> dict[str, object]:
    return {
        "name": each.name,
        "source": each.source,
        "mediaType": each.root.media_type,
        "digest": str(each.root.digest),
        "size": each.root.size,
        "platforms": list(each.platforms),
        "blobs": [{"digest": str(digest), "size": size} for digest, size in each.blobs],
    }


def _locked(entry: Mapping[str, object]) -> Locked:
    blobs, platforms = entry["blobs"], entry["platforms"]
    if not isinstance(blobs, list) or not isinstance(platforms, list):
        raise TypeError("a list")
    return Locked(
        str(entry["name"]),
        str(entry["source"]),
        Descriptor(
            str(entry["mediaType"]), Digest.parse(str(entry["digest"])), _size(entry["size"])
        ),
        tuple(map(str, platforms)),
        tuple((Digest.parse(blob["digest"]), _size(blob["size"])) for blob in blobs),
    )


def _size(said: object) -> int:
    if not is_size(said):
        raise ValueError("a size in it is no number of bytes")
    return said
