"""Where an upload goes on, if a registry's Location names another host than its own.

Some have their uploads elsewhere. Others stand behind a proxy, do not know their public name, and
name an internal one, another port, or http. Then the same path at the registry's own host works.
"""

from urllib.parse import urlsplit

from dockless.errors import AuthError, NetworkError, PushError, StrayError
from dockless.oci.reference import Repository
from dockless.registry.authorized_client import AuthorizedClient
from dockless.transport.origins import check_destination, goes_along, origin

_KNOWN = (200, 202, 204)
_REFUSED = (401, 403, 404, 405)
_DOWNGRADE = ("https", "http")


def corrected(client: AuthorizedClient, repository: Repository, location: str) -> str:
    """Return a Location, or the same path at the registry's own host where that works instead.

    It is asked once for each host that is named.

    Raises:
        PushError: It is no http or https URL.
        StrayError: It leads to a link-local address.
    """
    endpoint = client.http.endpoint
    url = client.url(repository, location)
    if goes_along(endpoint.url, url):
        return location
    check_destination(url, endpoint)
    parts, place = urlsplit(url), origin(url)
    if "/blobs/uploads/" not in parts.path or not parts.path.startswith("/v2/"):
        return location
    own = f"{endpoint.url}{parts.path}{f'?{parts.query}' if parts.query else ''}"
    if place not in client.own_uploads:
        client.own_uploads[place] = _is_its_own(client, repository, own, url)
    return own if client.own_uploads[place] else location


def _is_its_own(client: AuthorizedClient, repository: Repository, own: str, url: str) -> bool:
    """Whether the registry's own host serves the upload that another URL is named for."""
    here, there = origin(own), origin(url)
    if here and there and here.name == there.name and (here.scheme, there.scheme) == _DOWNGRADE:
        return True  # what is sent must not be readable on the way
    if _status(client, repository, own) in _KNOWN:
        return True
    # not every registry answers such a question; so the other host has to work
    status = _status(client, repository, url)
    return status is None or status in _REFUSED


def _status(client: AuthorizedClient, repository: Repository, url: str) -> int | None:
    """Ask for the state of an upload; return the response's status, or None for no response."""
    try:
        return client.request("GET", repository, url).status
    except StrayError:
        raise
    except AuthError:
        return 403
    except (NetworkError, PushError):
        return None
