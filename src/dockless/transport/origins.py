r"""Where a request may be sent, and where a secret may be sent.

What decides is the host that urllib3 reads out of a URL, since that is where it connects to: other
readers of URLs see other hosts in such as `https://a\@b/`.
"""

import ipaddress
import socket

from msgspec import Struct
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from dockless.errors import StrayError
from dockless.model.endpoint import Endpoint, is_loopback
from dockless.model.printable import bounded

_PORTS = {"http": 80, "https": 443}
# leads to addresses of IPv4, too (RFC 6052); the standard library knows the other such networks
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")

_LONGEST_SAID = 200
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Origin(Struct, frozen=True):
    """What a URL leads to.

    Attributes:
        scheme: `http` or `https`.
        name: The host's name or address, in lower case; IPv6 in brackets.
        port: The port.
    """

    scheme: str
    name: str
    port: int

    @property
    def host(self) -> str:
        """The `host[:port]`, without a default port."""
        return self.name if self.port == _PORTS[self.scheme] else f"{self.name}:{self.port}"


def origin(url: str) -> Origin | None:
    """Return where an http or https URL leads; None for anything else."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if parts.scheme not in _PORTS or not parts.host:
        return None
    return Origin(parts.scheme, parts.host.lower(), parts.port or _PORTS[parts.scheme])


def shown(url: str) -> str:
    """Return what messages say of a URL: scheme and host, as the rest may hold secrets."""
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

    place = origin(url)
    if place:
        return bounded(blotted(f"{place.scheme}://{place.host}"), _LONGEST_SAID)
    return repr(blotted(url)[:_LONGEST_SAID])


def goes_along(before: str, after: str) -> bool:
    """Whether a secret for one URL may go to another: the same origin, or the same host with TLS.

    Args:
        before: The URL that the secret is for.
        after: The other one.
    """
    old, new = origin(before), origin(after)
    if old is None or new is None:
        return False
    now_with_tls = Origin("https", old.name, _PORTS["https"])
    return new == old or (
        old.scheme == "http" and old.port == _PORTS["http"] and new == now_with_tls
    )


def may_have_secret(realm: str, endpoint: Endpoint) -> bool:
    """Whether a password or refresh token may be sent to a token service.

    With TLS always, since the registry names it. Without: from a registry on this machine to a
    service on it, from a registry that is plain HTTP because the user says so to its own host, and
    to the hosts that the user names.
    """
    service = origin(realm)
    if service is None:
        return False
    if service.scheme == "https" or _is_named(service, endpoint.insecure_realms):
        return True
    own = origin(endpoint.url)
    if is_loopback(endpoint.host):
        return is_loopback(service.name)
    return endpoint.plain_http and own is not None and own.name == service.name


def check_destination(url: str, endpoint: Endpoint) -> None:
    """Check that a URL may be requested at all.

    Args:
        url: The registry's own URL, or one that it, or a service that it named, gave us.
        endpoint: The registry.

    Raises:
        StrayError: It leads to a link-local address that the user did not name: the services there
            are for this machine alone, and clouds keep its secrets in one of them.
    """
    if url.startswith(f"{endpoint.url}/"):
        return
    place = origin(url)
    if place is None or is_typed(place, endpoint):
        return
    found = _address(place.name)
    if found is not None and _is_link_local(found):
        raise stray(endpoint, place.host)


def check_peer(address: str, place: Origin, endpoint: Endpoint) -> None:
    """See, once connected, that a name did not lead to a link-local address.

    Args:
        address: The address that was connected to.
        place: What was meant to be reached.
        endpoint: The registry.

    Raises:
        StrayError: It did, and the user did not name that host.
    """
    found = _address(address)
    if found is not None and _is_link_local(found) and not is_typed(place, endpoint):
        raise stray(endpoint, place.host)


def is_typed(place: Origin, endpoint: Endpoint) -> bool:
    """Whether the user named this host, as the registry or as a realm; whatever the port is."""
    own = origin(endpoint.url)
    if own is not None and own.name == place.name:
        return True
    return _is_named(place, endpoint.insecure_realms)


def stray(endpoint: Endpoint, host: str) -> StrayError:
    """Return the error for a link-local address that a registry leads to."""
    return StrayError(
        f"{endpoint.host} points to {bounded(host, _LONGEST_SAID)}, which is a link-local address. "
        "Nothing was sent there.",
        "Ask the registry's operator for the reason; if it is intended, name the address with "
        "--insecure-realm, or as the registry.",
    )


def _is_named(place: Origin, named: tuple[str, ...]) -> bool:
    """Whether one of these hosts is the place's: a host for each of its ports, or with one."""
    hosts = {place.name, f"{place.name}:{place.port}"}
    return any(each.lower() in hosts for each in named)


def _address(name: str) -> IPAddress | None:
    """Return the address that a host is, in any form in which the system takes one."""
    bare = name.strip("[]").rstrip(".")
    try:
        return ipaddress.ip_address(bare.replace("%25", "%"))
    except ValueError:
        pass
    try:  # such as 2852039166, 0xa9fea9fe and 169.254.43518 (inet_aton(3))
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, UnicodeEncodeError):
        return None


def _is_link_local(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_link_local
    inner = address.ipv4_mapped or address.sixtofour
    if address in _TRANSLATED:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.is_link_local or (inner is not None and inner.is_link_local)
