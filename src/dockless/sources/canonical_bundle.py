"""Whether the lists of a bundle are, byte by byte, what dockless writes for its images.

What is read is written again and compared. So nothing that a JSON parser accepts goes unnoticed: a
byte order mark, a member or an entry that stands twice, or a list that was made for other images.
"""

import json
from collections.abc import Iterator, Mapping

from dockless.errors import SourceError
from dockless.model.lock import FILE, Lock, Locked, lock_text
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.untrusted_json import parse_json
from dockless.sources.files import Files
from dockless.sources.oci_layout import CarriedImage, roots
from dockless.storage.bundle_lists import index_of, layout_text, refers, root_of
from dockless.storage.docker_list import FILE as DOCKER_LIST
from dockless.storage.docker_list import docker_list

LAYOUT, INDEX = "oci-layout", "index.json"


def altered(files: Files, lock: Lock) -> Iterator[str]:
    """Yield a sentence for each list of a bundle that dockless would write otherwise.

    Args:
        files: The bundle, in which no other problem was found.
        lock: Its lock file.
    """
    images = sorted(lock.images, key=lambda each: each.name)
    try:
        contents = {each.root.digest: CarriedImage(files, each.root).content() for each in images}
        wrong = [name for name, data in _lists(files, lock, images, contents) if data is None]
    except SourceError as error:
        yield error.what
        return
    for name in wrong:
        yield f"{files.label}: {name} is not as a bundle's is: it is damaged, or was changed."


def _lists(
    files: Files, lock: Lock, images: list[Locked], contents: Mapping[Digest, Content]
) -> Iterator[tuple[str, bytes | None]]:
    """Yield each list with its bytes; None where they are other than dockless writes."""
    named = [(each.name, contents[each.root.digest]) for each in images]
    listing = docker_list(named, lock.elsewhere)
    expected = {LAYOUT: layout_text(), INDEX: _index(files, named), DOCKER_LIST: listing}
    for name, text in expected.items():
        yield name, text if name in files and files.document(name) == text else None
    data = files.document(FILE)
    is_right = _is_written(data, lock) and lock.docker_list == Digest.of(listing)
    once = all(len(set(each.blobs)) == len(each.blobs) for each in images)
    yield FILE, data if is_right and once else None


def _index(files: Files, named: list[tuple[str, Content]]) -> bytes | None:
    """Return the index.json of some images; None where it has others, or another order."""
    listed = roots(files)
    if [root.digest for root in listed] != [content.root.digest for _, content in named]:
        return None
    there = {digest for _, content in named for digest in content.documents}
    return index_of(
        _root(root, name, content, there)
        for root, (name, content) in zip(listed, named, strict=True)
    )


def _root(root: Descriptor, name: str, content: Content, there: set[Digest]) -> Descriptor:
    """Return an entry of index.json; version 0.1.0 named nothing there that is pinned by digest."""
    nameless = refers(content, name, there) or ("@" in name and not root.annotations)
    return root_of(root, "" if nameless else name)


def _is_written(data: bytes, lock: Lock) -> bool:
    """Whether a lock file is as dockless writes it; a later version may add members."""
    found = parse_json(data)
    if data != (json.dumps(found, indent=2) + "\n").encode():
        return False
    return _has(found, parse_json(lock_text(lock)))


def _has(found: object, written: object) -> bool:
    """Whether everything that is written is found in its place."""
    if isinstance(written, dict):
        return isinstance(found, dict) and all(
            name in found and _has(found[name], each) for name, each in written.items()
        )
    if isinstance(written, list):
        return (
            isinstance(found, list)
            and len(found) == len(written)
            and all(map(_has, found, written))
        )
    return type(found) is type(written) and found == written
