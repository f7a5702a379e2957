"""Writing manifests and tags: one request each (distribution-spec, 'Pushing Manifests')."""

from dockless.model.errors import PushError
from dockless.model.reference import Repository
from dockless.registry.client import RegistryClient

_CREATED = 201


def put(
    client: RegistryClient, repository: Repository, name: str, data: bytes, media_type: str
) -> None:
    """Write a manifest or index under its digest or a tag.

    Raises:
        DocklessError: The registry does not take it.
    """
    headers = {"Content-Type": media_type}
    answer = client.request("PUT", repository, f"manifests/{name}", headers, data)
    if answer.status != _CREATED:
        raise PushError(f"The registry answers {answer.status}.")
