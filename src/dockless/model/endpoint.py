"""How a registry is reached: its scheme, and the certificates to trust."""

import ipaddress
from pathlib import Path

from msgspec import Struct


class Trust(Struct, frozen=True):
    """What TLS to a registry needs beyond the system's own certificates.

    Attributes:
        ca_files: PEM files of further certificate authorities.
        client_cert: The PEM file of a client certificate, when the registry asks for one.
        client_key: The PEM file of its key.
    """

    ca_files: tuple[Path, ...] = ()
    client_cert: Path | None = None
    client_key: Path | None = None


class TlsRemedies(Struct, frozen=True, kw_only=True):
    """What to do where TLS with a registry fails, by the options that apply to it.

    Attributes:
        no_tls: Where it does not use TLS.
        uses_tls: Where plain HTTP was sent to it, and it uses TLS.
        untrusted: Where it is not known who signed its certificate.
    """

    no_tls: str = "If plain HTTP is intended, use --insecure."
    uses_tls: str = "Leave out --insecure."
    untrusted: str = "Name the authority that signed it with --ca-file FILE or --cert-dir DIR."


class Endpoint(Struct, frozen=True, kw_only=True):
    """A registry as it is reached by this push.

    Attributes:
        host: The registry's `host[:port]`, as in references.
        plain_http: Whether it is reached without TLS.
        trust: The certificates for TLS.
        insecure_realms: The hosts, each with a port or for all, whose token service may be sent
            secrets without TLS, because the user allows it.
        remedies: What to do where TLS with it fails.
        login: What to do where it requires a credential and there is none; empty for the command
            line's own advice.
    """

    host: str
    plain_http: bool = False
    trust: Trust = Trust()
    insecure_realms: tuple[str, ...] = ()
    remedies: TlsRemedies = TlsRemedies()
    login: str = ""

    @property
    def url(self) -> str:
        """The part before `/v2/` in the registry's URLs."""
        served_by = "registry-1.docker.io" if self.host == "docker.io" else self.host
        return f"{'http' if self.plain_http else 'https'}://{served_by}"


def is_loopback(host: str) -> bool:
    """Whether `host[:port]` is this machine: `localhost`, 127.0.0.0/8 or `[::1]`."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
