"""The next request after a redirect (RFC 9110, section 15.4)."""

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from msgspec.structs import replace

from dockless.errors import AuthError, NetworkError
from dockless.transport.origins import goes_along, origin, shown

if TYPE_CHECKING:
    from dockless.transport.http import Request

MOST_REDIRECTS = 5

_STATUSES = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OF_A_BODY = frozenset({"content-type", "content-length", "content-range"})
_LONGEST_SAID = 200


def sent_on(request: "Request", status: int, location: str) -> "Request | None":
    """Return the request that follows a redirect; None where the response is final.

    Headers that hold secrets stay behind where the origin is another one. So does the body of a
    POST, without which the request is useless: the only one with a body asks for a token.

    Args:
        request: What was asked.
        status: The status of the answer.
        location: Its Location; empty for none.

    Raises:
        NetworkError: The Location is no web address.
        AuthError: A secret would be sent to another host.
    """
    if status not in _STATUSES or not location:
        return None
    if request.body is not None and not isinstance(request.body, bytes):
        return None  # it cannot be sent a second time
    url = _joined(request.url, location)
    if status == HTTPStatus.SEE_OTHER and request.method != "HEAD":
        kept = {
            name: text for name, text in request.headers.items() if name.lower() not in _OF_A_BODY
        }
        request = replace(request, method="GET", headers=kept, body=None)
    if goes_along(request.url, url):
        return replace(request, url=url)
    if request.method == "POST" and request.body:
        raise astray(request.url, url)
    harmless = {
        name: text for name, text in request.headers.items() if name.lower() not in _SECRET_HEADERS
    }
    return replace(request, url=url, headers=harmless)


def astray(asked: str, led: str) -> AuthError:
    """Return the error for a service that sends a request with a secret on to another place.

    Args:
        asked: The URL that was asked.
        led: The URL in its Location.
    """
    return AuthError(
        f"{shown(asked)} redirects the request to {shown(led)}, which must not get the credential.",
        "It was not sent there. Ask the registry's operator to configure the right token service.",
    )


def _joined(url: str, location: str) -> str:
    try:
        joined = urljoin(url, location)
    except ValueError:  # of a host in brackets, or of a port
        joined = ""
    if origin(joined) is None:
        raise NetworkError(
            f"{shown(url)} redirects to {_said(location)!r}, which is not a URL.",
            "Check the registry, and proxies in front of it.",
            passing=False,
        )
    return joined


def _said(location: str) -> str:
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

    return blotted(location)[:_LONGEST_SAID]
