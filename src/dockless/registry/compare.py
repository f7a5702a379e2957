"""Blobs of a registry, read to their end and compared with their digests."""

import hashlib

from dockless.errors import PushError
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient

_OK, _NOT_FOUND = 200, 404


def compare_blob(client: RegistryClient, repository: Repository, blob: Descriptor) -> None:
    """Read a blob, and keep nothing of it.

    Raises:
        PushError: The registry does not have it, or gives something else for it.
        NetworkError: It cannot be read.
    """
    seen = hashlib.new(blob.digest.algorithm)
    size = 0

    def take(piece: bytes) -> None:
        nonlocal size
        seen.update(piece)
        size += len(piece)

    answer = client.fetch(repository, f"blobs/{blob.digest}", take)
    if answer.status == _NOT_FOUND:
        raise PushError(f"{repository.host} does not have the blob {blob.digest} of {repository}.")
    if answer.status != _OK:
        raise PushError(f"{repository.host} answers {answer.status} to the blob {blob.digest}.")
    if size != blob.size or seen.hexdigest() != blob.digest.hex:
        raise PushError(
            f"{repository.host} has something else for the blob {blob.digest} of {repository}: "
            f"{size} bytes with the digest {blob.digest.algorithm}:{seen.hexdigest()}, in place of "
            f"{blob.size} bytes.",
            "Remove the blob there, since a registry that has one takes it from nobody again; then "
            "push with --check-blobs.",
        )
