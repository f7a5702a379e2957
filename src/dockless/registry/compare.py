"""Blobs of a registry, read to their end and compared with their digests."""

import hashlib

from dockless.errors import PushError
from dockless.model.counts import number
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient

_OK, _NOT_FOUND = 200, 404


def compare_blob(client: RegistryClient, repository: Repository, blob: Descriptor) -> None:
    """Read a blob without storing it.

    Raises:
        PushError: The registry does not have it, or returns other content.
        NetworkError: It cannot be read.
    """
    seen = hashlib.new(blob.digest.algorithm)
    size = 0

    def take(piece: bytes) -> None:
        nonlocal size
        if size + len(piece) > blob.size:  # one that does not end would be read for ever
            raise _other(repository, blob, f"more than {number(blob.size, 'byte')}", "")
        seen.update(piece)
        size += len(piece)

    response = client.fetch(repository, f"blobs/{blob.digest}", take)
    if response.status == _NOT_FOUND:
        raise PushError(
            f"{repository.host} does not have the blob {blob.digest} of {repository}.",
            "Push or mirror the image again with --check-blobs: that uploads what was lost.",
        )
    if response.status != _OK:
        raise PushError(
            f"{repository.host} responds with {response.status} for the blob {blob.digest}.",
            "Check the registry and its log, and verify again.",
        )
    if size != blob.size or seen.hexdigest() != blob.digest.hex:
        found = f" with the digest {blob.digest.algorithm}:{seen.hexdigest()}"
        raise _other(
            repository,
            blob,
            number(size, "byte"),
            f"{found}, in place of {blob.size}",
        )


def _other(repository: Repository, blob: Descriptor, length: str, more: str) -> PushError:
    return PushError(
        f"{repository.host} returns other content for the blob {blob.digest} of {repository}: "
        f"{length}{more}.",
        "Delete the blob there, since a registry accepts no upload of a blob that it has; "
        "then push with --check-blobs.",
    )
