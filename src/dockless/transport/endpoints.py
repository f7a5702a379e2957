"""How a registry is reached: with TLS or without, and with which certificates."""

import math
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from dockless.model.endpoint import Endpoint, TlsRemedies, Trust, is_loopback
from dockless.model.registry_access import RegistryAccess, path_of
from dockless.transport.trust import certificates_of, find_trust

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

    TLS, unless `insecure` is set. A registry on this machine that does not use TLS is
    reached without, as docker does; one that does not respond in time counts as without TLS.

    Args:
        host: The registry.
        access: The options.
        home: The user's home, for the folders of certificates; others than the system's are for
            TLS alone.
        seconds: How long a registry on this machine may take to greet in TLS.
        until: The moment, on the clock of `time.monotonic`, when all waiting ends; None for none.

    Raises:
        UsageError: The certificates cannot be used.
    """
    trust = find_trust(host, path_of(access.ca_file), path_of(access.cert_dir), home)
    plain_http = access.insecure
    if not plain_http and trust == Trust() and is_loopback(host):
        end = min(time.monotonic() + seconds, math.inf if until is None else until)
        plain_http = not _speaks_tls(host, end)
    return Endpoint(
        host=host,
        plain_http=plain_http,
        trust=trust,
        insecure_realms=access.insecure_realms,
        remedies=_remedies(host, access, home),
    )


def as_source(endpoint: Endpoint, home: Path) -> Endpoint:
    """Return the endpoint of a source, where the options of a command are for its target alone."""
    folder = certificates_of(endpoint.host, home)
    remedies = TlsRemedies(
        no_tls="--insecure is for the target: if plain HTTP is intended, name this source in a "
        "list of skopeo's (-f FILE.yml) with `tls-verify: false`.",
        uses_tls="Leave out `tls-verify: false` in its list.",
        untrusted="--ca-file and --cert-dir are for the target: put the certificate of the "
        f"authority that signed it into {folder} as a file *.crt.",
    )
    return replace(endpoint, remedies=remedies)


def _remedies(host: str, access: RegistryAccess, home: Path) -> TlsRemedies:
    """Return what to do where TLS fails: certificates in the options exclude plain HTTP."""
    if not (access.ca_file or access.cert_dir):
        return TlsRemedies()
    folder = certificates_of(host, home)
    plain = "leave out --ca-file and --cert-dir"
    if not is_loopback(host):
        plain += ", and use --insecure"
    return TlsRemedies(
        no_tls=f"If plain HTTP is intended, {plain}; the certificates for another registry are "
        f"also read from {folder.parent}/HOST.",
        untrusted="--ca-file or --cert-dir names another authority: name the one that signed it, "
        f"or put its certificate into {folder} as a file *.crt.",
    )


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
