"""Whether a blob whose reported length is 0 is empty: its first byte is requested."""

from http import HTTPStatus

from dockless.errors import AuthError
from dockless.oci.content import Presence
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient


class _FirstByteError(Exception):
    """The first byte has come, and the rest is not wanted."""


def presence_by_reading(
    client: RegistryClient, repository: Repository, blob: Descriptor
) -> Presence:
    """Return the state of a blob that is not empty, from a GET of its first byte.

    Some proxies answer every HEAD with the length 0, so that the length alone does not show that
    the registry's copy is empty.

    Raises:
        NetworkError: The registry fails to read it.
    """
    there, empty = Presence(frozenset({blob.digest})), Presence(damaged={blob.digest: 0})

    def take(piece: bytes) -> None:
        if piece:
            raise _FirstByteError

    try:
        response = client.fetch(repository, f"blobs/{blob.digest}", take, {"Range": "bytes=0-0"})
    except _FirstByteError:  # the range is not understood: the whole blob would come
        return there
    except AuthError:  # it may be written, and not read
        return there
    if response.status == HTTPStatus.NOT_FOUND:
        return Presence()
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        return there if response.body else empty
    none = (HTTPStatus.OK, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    return empty if response.status in none else there
