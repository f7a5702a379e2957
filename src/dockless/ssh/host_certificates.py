"""Certificates of hosts (PROTOCOL.certkeys of OpenSSH): signed by an authority that is known."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
)

from dockless.ssh.signatures import VERIFIED
from dockless.ssh.wire import from_line, split

_NUMBERS = 8 + 4
_TIMES = 8 + 8


def authority(certificate: SSHCertificate) -> bytes:
    """Return the public key of who signed it, in SSH's wire format; nothing for an unknown kind."""
    try:
        public = certificate.signature_key()
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return from_line(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)) or b""


def fault(
    certificate: SSHCertificate, blob: bytes, name: str, allowed: Sequence[str], now: float
) -> str:
    """Return why a certificate does not vouch for a host, as part of a sentence; empty if it does.

    Args:
        certificate: The certificate, whose authority is trusted.
        blob: The same in SSH's wire format.
        name: The host's name, or the alias of its key.
        allowed: The signatures that an authority may make; nothing for the usual.
        now: Seconds since 1970.
    """
    names = [each.decode(errors="replace") for each in certificate.valid_principals]
    made = _signed_with(blob)
    if certificate.type is not SSHCertificateType.HOST:
        return "it is a user's, not a host's"
    if made not in (allowed or VERIFIED):
        return f"it is signed with {made}"
    if not certificate.valid_after <= now < certificate.valid_before:
        return "it is not valid at this time"
    if names and not any(fnmatchcase(name.lower(), each.lower()) for each in names):
        return f"it is for {', '.join(names)}"
    if certificate.critical_options:
        return "it has conditions that are not known"
    return "" if _is_genuine(certificate) else "its signature is wrong"


def _is_genuine(certificate: SSHCertificate) -> bool:
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _signed_with(blob: bytes) -> str:
    """Return the name of the signature, such as `ssh-ed25519`, of a certificate that was read."""
    kind, rest = split(blob)
    # a nonce, and the key: one string, or two of a curve or of RSA
    for _ in range(2 if kind.startswith(b"ssh-ed25519") else 3):
        _, rest = split(rest)
    rest = rest[_NUMBERS:]
    for _ in ("its name", "principals"):
        _, rest = split(rest)
    rest = rest[_TIMES:]
    for _ in ("conditions", "extensions", "reserved", "the authority"):
        _, rest = split(rest)
    signature, _ = split(rest)
    return split(signature)[0].decode("ascii", "replace")
