"""Private keys in OpenSSH's, OpenSSL's (PKCS#1, SEC1) and PKCS#8's form."""

import base64
import binascii
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)

from dockless.ssh.signatures import PrivateKey
from dockless.ssh.wire import split

_OPENSSH = re.compile(
    rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END OPENSSH PRIVATE KEY-----", re.DOTALL
)
_MAGIC = b"openssh-key-v1\0"


class LockedKeyError(ValueError):
    """A private key is encrypted, and there is no passphrase."""


def load_private(data: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """Return a private key from its text.

    Raises:
        LockedKeyError: It is encrypted, and there is no passphrase.
        ValueError: It is none that can sign here, or the passphrase is wrong.
    """
    load = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
    try:
        loaded = load(data, password=passphrase)
    except TypeError:  # cryptography's for a passphrase that is missing, or not needed
        if passphrase is None:
            raise LockedKeyError("is encrypted") from None
        loaded = load(data, password=None)
    except UnsupportedAlgorithm:
        raise ValueError("is of a kind that cannot be used here") from None
    if isinstance(loaded, (Ed25519PrivateKey, EllipticCurvePrivateKey, RSAPrivateKey)):
        return loaded
    raise ValueError("is of a kind that cannot be used here")


def public_half(data: bytes) -> bytes | None:
    """Return the public key that OpenSSH's form has in the clear, even if the rest is encrypted.

    Source: PROTOCOL.key of OpenSSH. None for every other form.
    """
    found = _OPENSSH.search(data)
    try:
        rest = base64.b64decode(b"".join(found[1].split())) if found else b""
        if not rest.startswith(_MAGIC):
            return None
        rest = rest[len(_MAGIC) :]
        for _ in ("cipher", "key derivation", "its options"):
            _, rest = split(rest)
        return split(rest[4:])[0]  # behind the number of keys, which is 1
    except (binascii.Error, ValueError):
        return None
