"""Writing manifests and tags: one request each (distribution-spec, 'Pushing Manifests')."""

from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.transport.http import Response

_CREATED = 201
_TAKEN = frozenset({200, _CREATED, 202})  # 201 by the specification; the others are met, too


def put_manifest(
    client: RegistryClient, repository: Repository, name: str, data: bytes, media_type: str
) -> Response:
    """Send a manifest or index under its digest or a tag; return the registry's response.

    Raises:
        ManifestRefusedError: The registry accepts no manifest of this type.
        ImmutableTagError: It lets no tag be moved.
        RepositoryMissingError: It has no such repository.
        AuthError: It does not allow it.
        NetworkError: It cannot be reached, is in trouble, or lacks a blob or manifest of this one.
        PushError: It does not accept it for another reason, which the message gives.
    """
    headers = {"Content-Type": media_type}
    response = client.request("PUT", repository, f"manifests/{name}", headers, data)
    if (
        response.status not in _TAKEN
        or "text/html" in response.headers.get("Content-Type", "").lower()
    ):
        from dockless.registry.refusals import manifest_error  # noqa: PLC0415 - rare

        raise manifest_error(response, repository, name)
    return response
