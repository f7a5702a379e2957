"""An image of a registry, pulled into an OCI layout unchanged, without a program."""

import hashlib
from pathlib import Path

from dockless.concurrency import map_concurrently
from dockless.errors import PushError, SourceError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import MOST_DOCUMENTS, Descriptor, Index, Manifest, parse_document
from dockless.oci.reference import Reference, Repository
from dockless.registry.client import RegistryClient
from dockless.storage.oci_layout import blob_path, write_layout

_AT_ONCE = 4
_OK = 200


def download(client: RegistryClient, source: Reference, layout: Path) -> None:
    """Pull an image or index, with all its content, into a layout.

    What a broken download left there is not fetched again.

    Args:
        client: The registry.
        source: The image, by tag or digest.
        layout: The folder; made if it is not there.

    Raises:
        SourceError: The registry has no such image.
        PushError: It returns other content than requested.
    """
    repository = source.repository
    root = source.digest or client.tag(repository, source.tag)
    documents: dict[Digest, bytes] = {}
    blobs: dict[Digest, Descriptor] = {}
    waiting = [root] if root else []
    while waiting:
        digest = waiting.pop()
        if digest in documents:
            continue
        if len(documents) >= MOST_DOCUMENTS:
            raise SourceError(f"{source} has more than {MOST_DOCUMENTS} manifests.")
        document = _document(client, repository, digest, documents)
        waiting += [child.digest for child in document.children]
        blobs |= {blob.digest: blob for blob in document.blobs}
    if root is None:
        raise SourceError(f"{source} does not exist.", "Check the name and the tag.")
    kind = parse_document(documents[root]).media_type
    top = Descriptor(media_type=kind, digest=root, size=len(documents[root]))
    write_layout(
        layout,
        Content(
            root=top, documents=documents, blobs=tuple(blobs.values()), image_id=None, platforms=()
        ),
        {},
    )
    for blob in blobs.values():
        blob_path(layout, blob.digest).parent.mkdir(parents=True, exist_ok=True)
    map_concurrently(lambda blob: _blob(client, repository, blob, layout), blobs.values(), _AT_ONCE)


def _document(
    client: RegistryClient, repository: Repository, digest: Digest, documents: dict[Digest, bytes]
) -> Manifest | Index:
    data = client.manifest(repository, digest)
    if data is None:
        raise SourceError(f"{repository.host} does not have {digest} of {repository}.")
    documents[digest] = data
    try:
        return parse_document(data)
    except ValueError as error:
        raise SourceError(f"{digest} of {repository} is not an image: {error}.") from None


def _blob(client: RegistryClient, repository: Repository, blob: Descriptor, layout: Path) -> None:
    target = blob_path(layout, blob.digest)
    if target.exists():
        return
    draft = target.with_name(f".{target.name}.draft")
    seen = hashlib.new(blob.digest.algorithm)
    try:
        with draft.open("wb") as file:
            left = blob.size

            def take(piece: bytes) -> None:
                nonlocal left
                left -= len(piece)
                if left < 0:
                    raise _changed(repository, blob)
                seen.update(piece)
                file.write(piece)

            response = client.fetch(repository, f"blobs/{blob.digest}", take)
        if response.status != _OK:
            raise SourceError(f"{repository.host} does not have {blob.digest} of {repository}.")
        if left or seen.hexdigest() != blob.digest.hex:
            raise _changed(repository, blob)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _changed(repository: Repository, blob: Descriptor) -> PushError:
    return PushError(
        f"{repository.host} returned wrong content for {blob.digest} of {repository}.",
        "Do not trust this registry, or the proxy in front of it.",
    )
