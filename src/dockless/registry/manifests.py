"""Manifests and tags that need no engine: one request each ('Pushing Manifests')."""

from collections.abc import Callable

from dockless.model.content import Content
from dockless.model.errors import DocklessError, NetworkError
from dockless.model.reference import Repository
from dockless.registry.client import RegistryClient

_CREATED = 201


def put(
    client: RegistryClient, repository: Repository, name: str, data: bytes, media_type: str
) -> bool:
    """Send a manifest or index under its digest or a tag; return whether the registry took it."""
    headers = {"Content-Type": media_type}
    return client.request("PUT", repository, f"manifests/{name}", headers, data).status == _CREATED


def move(client: RegistryClient, repository: Repository, content: Content, tag: str) -> bool:
    """Make a tag name an image that is there by its digest.

    Returns:
        Whether it does; where not, the engine, which comes next, says why.

    Raises:
        NetworkError: The registry asks for patience.
    """
    root = content.root
    data = content.documents[root.digest]
    return worked(lambda: put(client, repository, tag, data, root.media_type))


def worked(attempt: Callable[[], bool]) -> bool:
    """Return whether an attempt succeeded; an error is left to the engine, which comes next.

    Raises:
        NetworkError: The registry asks for patience.
    """
    try:
        return attempt()
    except NetworkError as error:
        if error.retry_after is not None:
            raise
        return False
    except (DocklessError, OSError):
        return False
