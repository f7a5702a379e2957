"""SSH's wire format: strings and integers (RFC 4251, section 5), and keys as text."""

import base64
import binascii
import struct

CERTIFICATE = "-cert-v01@openssh.com"
"""The end of the names of OpenSSH's certificates, as of keys and as of signatures."""

_LENGTH = struct.Struct(">I")


def string(data: bytes | str) -> bytes:
    """Return bytes, or text in UTF-8, with their length before them."""
    plain = data.encode() if isinstance(data, str) else data
    return _LENGTH.pack(len(plain)) + plain


def mpint(number: int) -> bytes:
    """Return a positive integer, or zero."""
    # one bit more than it has, so that it is not taken for a negative one
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big") if number else b"")


def split(data: bytes) -> tuple[bytes, bytes]:
    """Return the first string of data, and what follows it.

    Raises:
        ValueError: It is cut short.
    """
    if len(data) < _LENGTH.size:
        raise ValueError("cut short")
    end = _LENGTH.size + _LENGTH.unpack(data[: _LENGTH.size])[0]
    if len(data) < end:
        raise ValueError("cut short")
    return data[_LENGTH.size : end], data[end:]


def kind_of(blob: bytes) -> str:
    """Return the kind of a public key, such as `ssh-ed25519`; empty where it is no key."""
    try:
        return split(blob)[0].decode("ascii")
    except ValueError:
        return ""


def as_line(blob: bytes) -> bytes:
    """Return a public key as a line of text, as authorized_keys has it."""
    return kind_of(blob).encode() + b" " + base64.b64encode(blob)


def from_line(text: bytes) -> bytes | None:
    """Return the public key of a line, as a file ending with `.pub` has it; None for no key."""
    words = text.split(maxsplit=2)
    if len(words) < 2:  # noqa: PLR2004 - kind and key
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return blob if blob and kind_of(blob).encode() == words[0] else None
