"""How a registry is reached: with TLS or without, and with which certificates."""

import math
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from dockless.model.endpoint import Endpoint, Trust, is_loopback
from dockless.model.registry_access import RegistryAccess
from dockless.transport.trust import find_trust

CONNECT_SECONDS = 10.0
"""How long a connection may take to be made."""


def endpoint_of(
    host: str,
    access: RegistryAccess,
    home: Path,
    *,
    seconds: float = CONNECT_SECONDS,
    until: float | None = None,
) -> Endpoint:
    """Return how to reach a registry as the options say, with the certificates for it.

    Args:
        host: The registry.
        access: The options.
        home: The user's home, for the folders of certificates.
        seconds: As for `reach`.
        until: The same.

    Raises:
        UsageError: The certificates cannot be used.
    """
    trust = find_trust(host, access.ca_file, access.cert_dir, home)
    found = reach(host, insecure=access.insecure, trust=trust, seconds=seconds, until=until)
    return replace(found, insecure_realms=access.insecure_realms)


def reach(
    host: str,
    *,
    insecure: bool,
    trust: Trust,
    seconds: float = CONNECT_SECONDS,
    until: float | None = None,
) -> Endpoint:
    """Return how to reach a registry.

    TLS, unless `insecure` is set. A registry on this machine that does not use TLS is
    reached without, as docker does; one that does not respond in time counts as without TLS.

    Args:
        host: The registry.
        insecure: Whether to use plain HTTP.
        trust: The certificates to trust; others than the system's are for TLS alone.
        seconds: How long a registry on this machine may take to greet in TLS.
        until: The moment, on the clock of `time.monotonic`, when all waiting ends; None for none.
    """
    if insecure or trust != Trust() or not is_loopback(host):
        return Endpoint(host=host, plain_http=insecure, trust=trust)
    end = min(time.monotonic() + seconds, math.inf if until is None else until)
    return Endpoint(host=host, plain_http=not _speaks_tls(host, end))


def _speaks_tls(host: str, end: float) -> bool:
    """Whether a host answers a greeting in TLS before a moment on the clock of `time.monotonic`."""
    parts = urlsplit(f"//{host}")
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    try:
        with _connected(parts.hostname or "", parts.port or 443, end) as line:
            line.settimeout(_left(end))
            with unverified.wrap_socket(line):
                return True
    except OSError:
        return False


def _connected(host: str, port: int, end: float) -> socket.socket:
    """Connect to the first address of a host that can be reached before a moment.

    Raises:
        OSError: None can.
    """
    reason: OSError = TimeoutError("timed out")
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection(address[:2], _left(end))  # type: ignore[arg-type] # as AF_INET and AF_INET6 have it
        except OSError as error:
            reason = error
    raise reason


def _left(end: float) -> float:
    """Return the seconds that are left until a moment.

    Raises:
        TimeoutError: None are.
    """
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
