"""Where crane and skopeo would send a credential by themselves.

They choose another challenge than we do, and ask token services by their own rules. So neither gets
a credential that it could send to the wrong service.
"""

from collections.abc import Mapping

from dockless.model.endpoint import Endpoint, is_loopback
from dockless.oci.reference import Repository
from dockless.registry.authorized_client import AuthorizedClient
from dockless.registry.challenges import Challenge, is_web_address, offered
from dockless.transport.origins import may_have_secret, origin, shown

_BYTE, _BINARY = b"-", {"Content-Type": "application/octet-stream"}


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


def upload_exposure(program: str, place: str, endpoint: Endpoint) -> str:
    """Return why a program must not get a password, by where uploads go; empty when it may.

    skopeo shows the password wherever a Location leads, crane at the registry's host, without TLS
    too (seen with crane 0.22.1 and skopeo 1.22.0).

    Args:
        program: `crane` or `skopeo`.
        place: A URL to which an upload goes; empty where that is the registry's own.
        endpoint: The registry.
    """
    led, own = origin(place), origin(endpoint.url)
    same_host = led is not None and own is not None and led.name == own.name
    if not place or (program == "crane" and not (same_host and place.startswith("http:"))):
        return ""
    return f"{program} could send the credential to {place}"


def upload_place(access: AuthorizedClient, repository: Repository) -> str:
    """Begin an upload, send a byte, and discard it; return where that leads if it is elsewhere.

    Both answers name a Location to go on at, and a program follows each.
    """
    location = ""
    path = "blobs/uploads/"
    for method, body in (("POST", None), ("PATCH", _BYTE)):
        response = access.request(method, repository, location or path, _BINARY, body)
        location = response.location or location
        if place := access.leads_elsewhere(repository, location or path):
            return place
        if not location:
            return ""
    access.request("DELETE", repository, location)
    return ""
