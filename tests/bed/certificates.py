"""A certificate authority of the test's own, with a server's and a client's certificate."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files in one folder, which skopeo can take as a `--cert-dir`.

    Attributes:
        folder: Holds `ca.crt`, `client.cert` and `client.key`.
        ca: The authority's certificate.
        server: The server's certificate, for `127.0.0.1` and `localhost`.
        server_key: Its key; outside the folder, since skopeo takes each `*.key` for a client's.
        client: The client's certificate.
        client_key: Its key.
    """

    folder: Path
    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make(folder: Path, *names: str, over: bool = False) -> Certificates:
    """Make an authority and the certificates it signed; valid for a day.

    Args:
        folder: Where they are put.
        names: Names and addresses of the server beside `127.0.0.1` and `localhost`.
        over: Whether the server's and the client's certificates ended an hour ago.
    """
    clients = folder / "client"
    clients.mkdir(parents=True)
    made = Certificates(
        clients,
        clients / "ca.crt",
        folder / "server.crt",
        folder / "server.key",
        clients / "client.cert",
        clients / "client.key",
    )
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _name("dockless test authority")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    root = (
        _builder(authority, authority, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    made.ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    for certificate, key_file, use in (
        (made.server, made.server_key, ExtendedKeyUsageOID.SERVER_AUTH),
        (made.client, made.client_key, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        known = [_alternative(name) for name in ("localhost", "127.0.0.1", *names)]
        alternatives = x509.SubjectAlternativeName(known)
        signed = (
            _builder(_name(certificate.stem), authority, key.public_key(), over=over)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                critical=False,
            )
            .sign(authority_key, hashes.SHA256())
        )
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return made


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Return a certificate of a key by itself, valid for a day."""
    name, now = _name("dockless test tokens"), dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .sign(key, hashes.SHA256())
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, over: bool = False
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    end = now - dt.timedelta(hours=1) if over else now + _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
