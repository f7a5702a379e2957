"""Certificates that are not accepted, each called by what is wrong with it."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dockless.errors import NetworkError
from dockless.model.endpoint import Endpoint, Trust
from dockless.transport.http import HttpClient

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
NOW = dt.datetime.now(dt.UTC)
FRESH = NOW + dt.timedelta(days=9)
OVER = NOW - dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def sign(
    name: str,
    by: Signed | None = None,
    *names: x509.GeneralName,
    end: dt.datetime = FRESH,
    ca: bool = False,
) -> Signed:
    """Return a certificate of this common name for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (by.certificate.subject, by.key) if by else (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=9))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Signed(builder.sign(signing, hashes.SHA256()), key)


@contextlib.contextmanager
def serving(folder: Path, chain: list[Signed]) -> Iterator[str]:
    """Speak TLS with a chain, the server's own certificate first; yield `HOST:PORT`."""
    key = chain[0].key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = folder / "server.pem"
    pem.write_bytes(key + b"".join(each.pem() for each in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                with contextlib.suppress(OSError), line:
                    line.settimeout(30)
                    context.wrap_socket(line, server_side=True).close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(30)


def told(folder: Path, chain: list[Signed], root: Signed) -> NetworkError:
    """Return what is said of a chain whose root is trusted."""
    authority = folder / "ca.crt"
    authority.write_bytes(root.pem())
    with serving(folder, chain) as host:
        endpoint = Endpoint(host=host, trust=Trust((authority,)))
        with pytest.raises(NetworkError) as caught:
            HttpClient(endpoint, {}).ask("GET", f"{endpoint.url}/v2/")
    assert not caught.value.passing
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("name", ["127.0.0.1", "registry.example.com", "a\x1b[31mb"])
def test_a_certificate_with_a_common_name_alone_is_called_one(tmp_path: Path, name: str) -> None:
    root = sign("root", ca=True)
    error = told(tmp_path, [sign(name, root)], root)
    assert "has no subjectAltName" in error.what
    assert "its common name" in error.what
    assert ("127.0.0.1'" in error.what) == (name == "127.0.0.1")
    assert error.what.isprintable()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a.example",), "is for other names: a.example."),
        (("a.example", "*.b.example"), "a.example, *.b.example."),
        (tuple(f"n{number}.example" for number in range(9)), "n4.example and 4 more."),
    ],
)
def test_the_names_of_a_certificate_for_others_are_told(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    root = sign("root", ca=True)
    error = told(tmp_path, [sign("x", root, *map(x509.DNSName, names))], root)
    assert error.what.endswith(said)


def test_an_expired_certificate_is_the_servers_own(tmp_path: Path) -> None:
    root = sign("root", ca=True)
    error = told(tmp_path, [sign("x", root, HERE, end=OVER)], root)
    assert "The certificate of 127.0.0.1" in error.what
    assert "has expired." in error.what
    assert "chain" not in error.what


@pytest.mark.parametrize("which", ["root", "intermediate", "root of an intermediate"])
def test_an_expired_chain_is_not_the_servers_own_certificate(tmp_path: Path, which: str) -> None:
    make = partial(sign, ca=True)
    root = make("root", end=FRESH if which == "intermediate" else OVER)
    middle = make("middle", root, end=OVER if which == "intermediate" else FRESH)
    chain = [sign("x", root, HERE)] if which == "root" else [sign("x", middle, HERE), middle]
    error = told(tmp_path, chain, root)
    assert "is valid, but one that it was signed with has expired" in error.what
    assert "ca-certificates" in error.remedy
