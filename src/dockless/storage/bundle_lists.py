"""The files of a bundle that make it an OCI layout: `oci-layout` and `index.json`."""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from dockless.model.lock import FILE
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONTAINERD_NAME,
    OCI_INDEX,
    REF_NAME,
    Descriptor,
    compact_json,
    parse_document,
)
from dockless.storage.docker_list import FILE as DOCKER_LIST

BUNDLE_FILES = ("oci-layout", "index.json", DOCKER_LIST, FILE)
"""The files of a bundle that list its images, in the order in which an archive has them."""


def layout_text() -> bytes:
    """Return the `oci-layout` file."""
    return compact_json({"imageLayoutVersion": "1.0.0"})


def index_of(roots: Iterable[Descriptor]) -> bytes:
    """Return the index.json of these images, in their order."""
    manifests = [root.to_json() for root in roots]
    return compact_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})


def root_of(root: Descriptor, name: str) -> Descriptor:
    """Return an image's entry in index.json; an empty name for none."""
    names = ((CONTAINERD_NAME, name), (REF_NAME, name)) if name else ()
    return replace(root, annotations=names)


def refers(content: Content, name: str, there: Collection[Digest]) -> bool:
    """Whether an image is a referrer by digest, which has no name: its subject leads to it.

    Args:
        content: The image.
        name: Its full name.
        there: The manifests of the bundle.
    """
    subject = parse_document(content.documents[content.root.digest]).subject
    return "@" in name and subject in there
