"""What a bundle holds: `bundle.lock.json`, which is the same for the same images."""

import json
from json import JSONDecodeError

from msgspec import Struct

from dockless.model.renaming import whole_name
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, is_size
from dockless.oci.reference import Name
from dockless.oci.untrusted_json import parse_own_json

FILE = "bundle.lock.json"
_VERSION = 1
_LONGEST_SHOWN = 40


class Locked(Struct, frozen=True, kw_only=True):
    """One image of a bundle.

    Attributes:
        name: Its full name.
        source: Where it came from.
        root: Its manifest or index.
        platforms: What it runs on.
        blobs: Every config and layer, with its size.
        short: Its name in its source where that has another path than the full one, as `shop:v1`
            has, whose full name is docker.io/library/shop:v1; else empty.
    """

    name: str
    source: str
    root: Descriptor
    platforms: tuple[str, ...]
    blobs: tuple[tuple[Digest, int], ...]
    short: str = ""

    @classmethod
    def of(cls, name: Name, source: str, content: Content) -> "Locked":
        """Return the entry of an image; raise ValueError when its name has no full form."""
        whole = whole_name(name)
        return cls(
            name=whole,
            source=source,
            root=content.root,
            platforms=tuple(str(platform) for platform in content.platforms),
            blobs=tuple((blob.digest, blob.size) for blob in content.blobs),
            short="" if Name.parse(whole).path == name.path else str(name),
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
        document = parse_own_json(data)
    except JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    version = _member(document, "lockVersion", "it")
    if type(version) is not int or version != _VERSION:
        raise ValueError(
            f"its lockVersion is {_shown(version)}, and this dockless reads {_VERSION}"
        )
    images = _list(_member(document, "images", "it"), "images")
    elsewhere = _list(document.get("elsewhere", []), "elsewhere")
    listed = document.get("manifest.json")
    return Lock(
        tuple(_locked(entry, f"images[{number}]") for number, entry in enumerate(images)),
        frozenset(_digest(each, f"elsewhere[{number}]") for number, each in enumerate(elsewhere)),
        None if listed is None else _digest(listed, "manifest.json"),
    )


def _members(each: Locked) -> dict[str, object]:
    return {
        "name": each.name,
        **({"shortName": each.short} if each.short else {}),
        "source": each.source,
        "mediaType": each.root.media_type,
        "digest": str(each.root.digest),
        "size": each.root.size,
        "platforms": list(each.platforms),
        "blobs": [{"digest": str(digest), "size": size} for digest, size in each.blobs],
    }


def _locked(entry: object, where: str) -> Locked:
    blobs = _list(_member(entry, "blobs", where), f"{where}.blobs")
    platforms = _list(_member(entry, "platforms", where), f"{where}.platforms")
    name = _text(_member(entry, "name", where), f"{where}.name")
    source = _text(_member(entry, "source", where), f"{where}.source")
    media_type = _text(_member(entry, "mediaType", where), f"{where}.mediaType")
    digest, size = _sized(entry, where)
    return Locked(
        name=name,
        source=source,
        root=Descriptor(media_type=media_type, digest=digest, size=size),
        platforms=tuple(_text(each, f"{where}.platforms[{n}]") for n, each in enumerate(platforms)),
        blobs=tuple(_sized(each, f"{where}.blobs[{n}]") for n, each in enumerate(blobs)),
        short=_short(entry, name, where),
    )


def _short(entry: object, name: str, where: str) -> str:
    """Return the short name of an image; raise ValueError when it is one of another image."""
    if not isinstance(entry, dict) or "shortName" not in entry:
        return ""
    text = _text(entry["shortName"], f"{where}.shortName")
    if whole_name(Name.parse(text)) != name:
        raise ValueError(f"{where}.shortName is {_shown(text)}, which is not a form of {name}")
    return text


def _sized(entry: object, where: str) -> tuple[Digest, int]:
    size = _member(entry, "size", where)
    if not is_size(size):
        raise ValueError(f"{where}.size is {_shown(size)}, which is not a number of bytes")
    return _digest(_member(entry, "digest", where), f"{where}.digest"), size


def _member(entry: object, name: str, where: str) -> object:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is {_shown(entry)}, and must be an object")
    if name not in entry:
        raise ValueError(f"{where} lacks {name}")
    return entry[name]


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {_shown(value)}, and must be a list")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} is {_shown(value)}, and must be a string")
    return value


def _digest(value: object, where: str) -> Digest:
    try:
        return Digest.parse(_text(value, where))
    except ValueError:
        raise ValueError(f"{where} is {_shown(value)}, and must be a digest") from None


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
