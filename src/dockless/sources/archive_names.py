"""The names of the images in a layout or archive, as far as they can be read at once."""

import contextlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

from dockless.errors import SourceError
from dockless.oci.manifest import CONTAINERD_NAME, LONGEST_MANIFEST, REF_NAME
from dockless.oci.untrusted_json import parse_json

_LISTS = ("manifest.json", "index.json")
_MOST_MEMBERS = 1000
"""Members after which an archive is none of images."""


def names_in(path: Path) -> tuple[str, ...]:
    """Return the names of the images in a layout, or in a tar that is not compressed.

    None where it is neither, or too much of it would have to be read.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError, SourceError, tarfile.TarError):
        lists = _lists_of_folder(path) if path.is_dir() else _lists_of_tar(path)
        return tuple(dict.fromkeys(name for data in lists for name in _names(parse_json(data))))
    return ()


def _lists_of_folder(path: Path) -> list[bytes]:
    data = []
    for name in _LISTS:
        with contextlib.suppress(FileNotFoundError), (path / name).open("rb") as file:
            data.append(file.read(LONGEST_MANIFEST))
    return data


def _lists_of_tar(path: Path) -> list[bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r:") as archive:
        for number, member in enumerate(archive):
            name = member.name.removeprefix("./")
            if name in _LISTS and member.isreg() and member.size <= LONGEST_MANIFEST:
                file = archive.extractfile(member)
                found[name] = file.read() if file else b"{}"
            if number > _MOST_MEMBERS or len(found) == len(_LISTS):
                break
    return list(found.values())


def _names(document: object) -> Iterator[str]:
    """Yield the names in a manifest.json of `docker save`, or in the index.json of a layout."""
    entries = document.get("manifests") if isinstance(document, dict) else document
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        named = entry.get("RepoTags") or []
        notes = entry.get("annotations") or {}
        if isinstance(notes, dict) and not named:
            named = [notes.get(CONTAINERD_NAME) or notes.get(REF_NAME)]
        yield from (name for name in named if isinstance(name, str) and "<none>" not in name)
