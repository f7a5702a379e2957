"""The connection to a registry, seen step by step: addresses, connections, and the TLS handshake.

A push sees only whether all of it works. Here each step is on its own, and a certificate that is
not trusted is read all the same.
"""

import contextlib
import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from dockless.model.endpoint import Endpoint, Trust
from dockless.model.reasons import reason
from dockless.transport.proxy import Proxy
from dockless.transport.tls import ssl_context

Fault = Literal[
    "expired", "not yet valid", "name mismatch", "self-signed", "untrusted", "no tls", "other"
]

_PORTS = {"http": 80, "https": 443}
# the codes of OpenSSL's X509_verify_cert(3)
_FAULTS: dict[int, Fault] = {
    9: "not yet valid",
    10: "expired",
    18: "self-signed",
    62: "name mismatch",
    64: "name mismatch",
}
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for


class PeerAddress(Struct, frozen=True):
    """Where a registry, or the proxy before it, is connected to.

    Attributes:
        host: A name or an address.
        port: The port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Certificate(Struct, frozen=True, kw_only=True):
    """What a server's certificate says.

    Attributes:
        subject: Whom it is for.
        issuer: Who signed it.
        names: The names and addresses that it holds for.
        begins: When it begins to hold, in seconds since 1970.
        ends: When it ends.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: float
    ends: float


class Peer(Struct, frozen=True, kw_only=True):
    """The result of a TLS handshake.

    Attributes:
        certificate: The server's; None when it could not be read.
        fault: What is wrong; None when the server is trusted.
        said: The library's words for that; empty for none.
        version: The version of TLS; empty when the handshake failed.
    """

    certificate: Certificate | None
    fault: Fault | None = None
    said: str = ""
    version: str = ""


def target_of(url: str) -> PeerAddress:
    """Return where a URL leads."""
    parts = urlsplit(url)
    return PeerAddress(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


def addresses(target: PeerAddress) -> tuple[str, ...]:
    """Return every address that a name has, in the order in which they are tried.

    Raises:
        OSError: It has none, or no name server responds.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def connects(address: str, port: int, seconds: float) -> str:
    """Try to connect; return why that failed, or an empty string."""
    try:
        with socket.create_connection((address, port), seconds):
            return ""
    except TimeoutError:
        return f"no response within {seconds:g} seconds"
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            return "connection refused: nothing listens on this port"
        return reason(error).lower()


def handshake(endpoint: Endpoint, via: Proxy | None, seconds: float) -> Peer:
    """Start TLS with a registry, and read its certificate even if it is not trusted.

    Args:
        endpoint: The registry, with the certificates to trust.
        via: The proxy that leads there; None for none.
        seconds: How long each step may take.

    Raises:
        UsageError: The certificates to trust cannot be used.
        OSError: No connection.
    """
    target, context = target_of(endpoint.url), ssl_context(endpoint.trust)
    try:
        with _shaken(target, via, context, seconds) as way:
            return Peer(certificate=_read(way.getpeercert() or {}), version=way.version() or "")
    except ssl.SSLCertVerificationError as error:
        fault = _FAULTS.get(error.verify_code, "untrusted")
        return Peer(
            certificate=unverified(target, via, endpoint.trust, seconds),
            fault=fault,
            said=error.verify_message,
        )
    except ssl.SSLError as error:
        said = (error.reason or reason(error)).replace("_", " ").lower()
        has_none = "wrong version number" in said or "record layer" in said
        return Peer(certificate=None, fault="no tls" if has_none else "other", said=said)


def unverified(
    target: PeerAddress, via: Proxy | None, trust: Trust, seconds: float
) -> Certificate | None:
    """Return the certificate of a server that is not trusted; None where it cannot be read.

    The ssl module tells nothing of a certificate that it did not verify. So it is asked for its
    bytes, and then verified against itself.
    """
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    itself.check_hostname = False
    itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    itself.verify_flags = ssl.VerifyFlags(int(itself.verify_flags) | _NO_CHECK_TIME)
    with contextlib.suppress(OSError, ValueError):
        for context in (blind, itself):
            if trust.client_cert:
                context.load_cert_chain(trust.client_cert, trust.client_key)
        with _shaken(target, via, blind, seconds) as way:
            data = way.getpeercert(binary_form=True)
        if data:
            itself.load_verify_locations(cadata=data)
            with _shaken(target, via, itself, seconds) as way:
                return _read(way.getpeercert() or {})
    return None


@contextlib.contextmanager
def _shaken(
    target: PeerAddress, via: Proxy | None, context: ssl.SSLContext, seconds: float
) -> Iterator[ssl.SSLSocket]:
    with (
        _connected(target, via, seconds) as line,
        context.wrap_socket(line, server_hostname=target.host) as way,
    ):
        yield way


def _connected(target: PeerAddress, via: Proxy | None, seconds: float) -> socket.socket:
    if via is None:
        return socket.create_connection((target.host, target.port), seconds)
    lead = target_of(via.url)
    line = http.client.HTTPConnection(lead.host, lead.port, timeout=seconds)
    line.set_tunnel(target.host, target.port, _login(via))
    line.connect()
    way: socket.socket = line.sock
    return way


def _login(via: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": via.header()} if via.credential else {}


def _read(members: Any) -> Certificate | None:  # noqa: ANN401 - the ssl module's own form
    """Return what a certificate says, from the form that `SSLSocket.getpeercert` documents."""
    try:
        return Certificate(
            subject=_common(members["subject"]),
            issuer=_common(members["issuer"]),
            names=tuple(str(name) for _, name in members.get("subjectAltName", ())),
            begins=ssl.cert_time_to_seconds(members["notBefore"]),
            ends=ssl.cert_time_to_seconds(members["notAfter"]),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _common(name: Any) -> str:  # noqa: ANN401 - as above
    """Return what people call a subject or an issuer: its common name, and its organisation."""
    parts = {key: value for relative in name for key, value in relative}
    common, organisation = parts.get("commonName", ""), parts.get("organizationName", "")
    if common and organisation and organisation not in common:
        return f"{common} ({organisation})"
    return str(common or organisation or "an unnamed issuer")
