"""Where crane and skopeo would send a credential by themselves.

They choose another challenge than we do, and ask token services by their own rules. So neither gets
a credential that it could send to the wrong service.
"""

from collections.abc import Mapping

from dockless.model.endpoint import Endpoint, is_loopback
from dockless.oci.reference import Repository
from dockless.registry.authorized_client import AuthorizedClient
from dockless.registry.challenges import Challenge, is_web_address, offered
from dockless.transport.origins import goes_along, may_have_secret, origin, shown


def exposed(headers: Mapping[str, str], endpoint: Endpoint) -> str:
    """Return a realm of the headers that no secret may be sent to; empty when there is none.

    A program that takes the first challenge that it supports may send it one nevertheless.
    """
    realms = (
        each.parameters.get("realm", "") for each in offered(headers) if each.scheme == "bearer"
    )
    return next(
        (each for each in realms if is_web_address(each) and not may_have_secret(each, endpoint)),
        "",
    )


def exposure(
    program: str, challenge: Challenge, headers: Mapping[str, str], endpoint: Endpoint
) -> str:
    """Return why a program must not get the credential for a registry; empty when it may.

    Args:
        program: `crane`, which asks no token service where it has a token; or `skopeo`.
        challenge: What we answer.
        headers: Those of the 401, with all that is offered.
        endpoint: The registry.
    """
    if challenge.scheme == "bearer" and program == "crane":
        return ""
    if realm := exposed(headers, endpoint):
        return f"{program} could send the credential to {shown(realm)}, without TLS"
    named = challenge.parameters.get("realm", "") if challenge.scheme == "bearer" else ""
    service = origin(named)
    # --tls-verify=false, without which skopeo speaks no plain HTTP, holds for the service, too
    if endpoint.plain_http and service and service.scheme == "https":
        return (
            ""
            if is_loopback(service.name)
            else f"{program} would not verify the certificate of {named}"
        )
    return ""


def upload_place(access: AuthorizedClient, repository: Repository) -> str:
    """Begin an upload, and return where it goes if that is elsewhere; empty for here."""
    path = "blobs/uploads/"
    location = access.request("POST", repository, path).headers.get("Location", "")
    url = access.url(repository, location or path)
    if not goes_along(access.http.endpoint.url, url):
        return shown(url)
    if location:
        access.request("DELETE", repository, location)
    return ""
