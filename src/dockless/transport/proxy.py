"""The proxy for a URL, from the variables that Go programs, and so the engines, use.

The rules are those of golang.org/x/net/http/httpproxy: nothing on this machine goes through a
proxy, and NO_PROXY has names, addresses and networks, each with a port or for all.
"""

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.endpoint import is_loopback

_PORTS = {"http": 80, "https": 443, "": 0}


class Proxy(Struct, frozen=True):
    """A proxy.

    Attributes:
        url: Its URL, without the credential.
        credential: `user:password` for it; empty for none. It is never shown.
    """

    url: str
    credential: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.url!r})"

    def header(self) -> str:
        """Return the Proxy-Authorization header for its credential (RFC 7617)."""
        encoded = base64.b64encode(self.credential.encode(errors="surrogateescape"))
        return f"Basic {encoded.decode('ascii')}"


def proxy(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL, or None.

    Raises:
        UsageError: The variable that names it has no URL in it.
    """
    parts = urlsplit(url)
    variable = f"{parts.scheme}_proxy"
    named = environment.get(variable) or environment.get(variable.upper()) or ""
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    host = parts.hostname or ""
    if not named or is_loopback(host) or is_loopback(f"[{host}]"):
        return None
    if any(_matches(entry.strip().lower(), parts) for entry in exempt.split(",")):
        return None
    return _parsed(named, variable)


def _parsed(named: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), ""
    if not parts.hostname:
        # not shown: there may be a password in it
        raise UsageError(
            f"{variable.upper()} is not the URL of a proxy.", "Write it as http://HOST:PORT."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    user = unquote(parts.username or "")
    credential = f"{user}:{unquote(parts.password or '')}" if user else ""
    return Proxy(f"{parts.scheme}://{host}{port}", credential)


def _matches(entry: str, url: SplitResult) -> bool:
    if entry == "*":
        return True
    host = (url.hostname or "").rstrip(".")
    name, port = _split_port(entry)
    if not name or (port and port != str(url.port or _PORTS[url.scheme])):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _names(name, host)
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _names(name: str, host: str) -> bool:
    """Whether an entry names a host: a name with what lies below it, a leading dot only that."""
    name = name.removeprefix("*")
    below = host.endswith(name if name.startswith(".") else f".{name}")
    return below or host == name


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    if entry.count(":") > 1:  # an IPv6 address or network
        return entry, ""
    name, _, port = entry.partition(":")
    return name, port
