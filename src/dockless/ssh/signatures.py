"""Public keys and the signatures made with them (RFC 4253, 5656, 8332, 8709)."""

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    load_ssh_public_identity,
    load_ssh_public_key,
)

from dockless.ssh.wire import CERTIFICATE, as_line, from_line, kind_of, mpint, split, string

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

_RSA: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "rsa-sha2-512": hashes.SHA512,
    "rsa-sha2-256": hashes.SHA256,
    "ssh-rsa": hashes.SHA1,  # only where ssh_config(5) allows it
}
_ECDSA: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "ecdsa-sha2-nistp256": hashes.SHA256,
    "ecdsa-sha2-nistp384": hashes.SHA384,
    "ecdsa-sha2-nistp521": hashes.SHA512,
}
VERIFIED = ("ssh-ed25519", *_ECDSA, "rsa-sha2-512", "rsa-sha2-256")
"""The signatures that are verified without being asked for; `ssh-rsa` can be, too."""


def key_kind(algorithm: str) -> str:
    """Return the kind of the keys that make a signature: `ssh-rsa` for `rsa-sha2-512`."""
    plain = algorithm.removesuffix(CERTIFICATE)
    kind = "ssh-rsa" if plain in _RSA else plain
    return kind + algorithm[len(plain) :]


def algorithm_for(kind: str, accepted: Sequence[str], known: Sequence[str] | None) -> str:
    """Return the signature that a key is to make; empty where none may be used.

    Args:
        kind: The kind of the key or certificate.
        accepted: What PubkeyAcceptedAlgorithms allows, in this order; nothing for OpenSSH's own.
        known: What the server said that it verifies; None where it said nothing.
    """
    suffix = CERTIFICATE if kind.endswith(CERTIFICATE) else ""
    if kind.removesuffix(suffix) != "ssh-rsa":
        return kind if not accepted or kind in accepted else ""
    for algorithm in accepted or [each + suffix for each in ("rsa-sha2-512", "rsa-sha2-256")]:
        plain = algorithm.removesuffix(suffix)
        if algorithm.endswith(suffix) and plain in _RSA and (known is None or plain in known):
            return algorithm
    return ""


def rsa_bits(blob: bytes) -> int:
    """Return the length of an RSA key, or of the one in a certificate; 0 for another kind."""
    plain = plain_key(blob)
    if kind_of(plain) != "ssh-rsa":
        return 0
    try:
        _, rest = split(plain)
        _, rest = split(rest)
        return int.from_bytes(split(rest)[0], "big").bit_length()
    except ValueError:
        return 0


def public_blob(private: PrivateKey) -> bytes:
    """Return the public half of a key, in SSH's wire format."""
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    blob = from_line(line)
    assert blob is not None  # noqa: S101 - it was just written
    return blob


def sign(private: PrivateKey, data: bytes, algorithm: str) -> bytes:
    """Return a signature, with its name before it."""
    name = algorithm.removesuffix(CERTIFICATE)
    if isinstance(private, RSAPrivateKey):
        made = private.sign(data, PKCS1v15(), _RSA[name]())
    elif isinstance(private, EllipticCurvePrivateKey):
        first, second = decode_dss_signature(private.sign(data, ECDSA(_ECDSA[name]())))
        made = mpint(first) + mpint(second)
    else:
        made = private.sign(data)
    return string(name) + string(made)


def verify(blob: bytes, signature: bytes, data: bytes, algorithm: str) -> None:
    """Verify a signature of a key that is no certificate.

    Args:
        blob: The public key, in SSH's wire format.
        signature: The signature, with its name before it.
        data: What is signed.
        algorithm: The name that the signature has to have.

    Raises:
        ValueError: It is not right, or one of these cannot be read.
    """
    name, rest = split(signature)
    made, _ = split(rest)
    if name.decode("ascii") != algorithm:
        raise ValueError(f"the signature is not of the kind {algorithm}")
    try:
        public = load_ssh_public_key(as_line(blob))
        if isinstance(public, RSAPublicKey) and algorithm in _RSA:
            padded = made.rjust(public.key_size // 8, b"\0")  # some servers leave out zeros
            public.verify(padded, data, PKCS1v15(), _RSA[algorithm]())
        elif isinstance(public, EllipticCurvePublicKey) and algorithm == kind_of(blob):
            first, rest = split(made)
            second, _ = split(rest)
            pair = (int.from_bytes(first, "big"), int.from_bytes(second, "big"))
            public.verify(encode_dss_signature(*pair), data, ECDSA(_ECDSA[algorithm]()))
        elif isinstance(public, Ed25519PublicKey) and algorithm == kind_of(blob):
            public.verify(made, data)
        else:
            raise ValueError(f"the key is not one for {algorithm}")
    except (InvalidSignature, UnsupportedAlgorithm, KeyError):
        raise ValueError("the signature is wrong") from None


def certificate(blob: bytes) -> SSHCertificate | None:
    """Return a certificate; None where it is none, or cannot be read."""
    if not kind_of(blob).endswith(CERTIFICATE):
        return None
    try:
        found = load_ssh_public_identity(as_line(blob))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found if isinstance(found, SSHCertificate) else None


def plain_key(blob: bytes) -> bytes:
    """Return the key of a certificate, and any other key as it is."""
    found = certificate(blob)
    if found is None:
        return blob
    try:
        public = found.public_key()
    except (ValueError, UnsupportedAlgorithm):  # of a kind that signs in an agent only
        return blob
    return from_line(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)) or blob
