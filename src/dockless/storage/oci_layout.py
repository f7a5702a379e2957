"""Writing what was staged as an OCI layout, for an engine to push."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from dockless.model.timings import Timings
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX, REF_NAME, compact_json
from dockless.storage.disk_errors import full_disk
from dockless.storage.file_links import place
from dockless.storage.folders import make_own

STAGED = "staged"
"""The `ref.name` of the one image in a staged layout."""


def write_layout(
    folder: Path,
    content: Content,
    blobs: Mapping[Digest, Path],
    timings: Timings | None = None,
) -> Path:
    """Write a layout whose index.json names the content's root alone.

    Blobs are links to the files that they are staged in, so nothing is copied where the file
    system has links; no symbolic link and no absolute path is in it. The layout may be sparse:
    what the registry already has need not be in it.

    Args:
        folder: Where to; made if it is not there.
        content: What is pushed.
        blobs: A file for each blob that the registry lacks.
        timings: Gets the seconds that copying takes, where there are no links.

    Returns:
        The folder.

    Raises:
        PushError: There is no space for it.
    """
    with full_disk(folder):
        for algorithm in {digest.algorithm for digest in (*content.documents, *blobs)}:
            (folder / "blobs" / algorithm).mkdir(parents=True, exist_ok=True)
        for digest, data in content.documents.items():
            blob_path(folder, digest).write_bytes(data)
        for digest, path in blobs.items():
            place(path, blob_path(folder, digest), timings)
        (folder / "oci-layout").write_bytes(compact_json({"imageLayoutVersion": "1.0.0"}))
        root = replace(content.root, annotations=((REF_NAME, STAGED),))
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [root.to_json()]}
        (folder / "index.json").write_bytes(compact_json(index))
    return folder


def lay_out(
    folder: Path,
    store: Path,
    content: Content,
    blobs: Mapping[Digest, Path],
    timings: Timings,
) -> Path:
    """Write a layout in a new folder within a private one, which is made if it is not there.

    Args:
        folder: The private folder.
        store: The folder of the store, for the message where the disk is full.
        content: As for `write_layout`, and so are the others.
        blobs: As above.
        timings: As above.
    """
    with full_disk(store):
        make_own(folder)
        layout = Path(tempfile.mkdtemp(prefix="layout-", dir=folder))
    return write_layout(layout, content, blobs, timings)


def blob_path(folder: Path, digest: Digest) -> Path:
    """Return where a layout keeps a blob."""
    return folder / "blobs" / digest.algorithm / digest.hex
