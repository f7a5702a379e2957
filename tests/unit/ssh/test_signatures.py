"""Signatures, and which one a key makes."""

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

from dockless.ssh.signatures import PrivateKey, algorithm_for, public_blob, sign, verify
from dockless.ssh.wire import CERTIFICATE, from_line, mpint, split, string

RSA = generate_rsa(65537, 2048)
SIGNED: list[tuple[PrivateKey, str]] = [
    (Ed25519PrivateKey.generate(), "ssh-ed25519"),
    (generate_ec(SECP256R1()), "ecdsa-sha2-nistp256"),
    (generate_ec(SECP384R1()), "ecdsa-sha2-nistp384"),
    (generate_ec(SECP521R1()), "ecdsa-sha2-nistp521"),
    (RSA, "rsa-sha2-512"),
    (RSA, "rsa-sha2-256"),
    (RSA, "ssh-rsa"),
]


@pytest.mark.parametrize(("key", "algorithm"), SIGNED)
@pytest.mark.parametrize("suffix", ["", CERTIFICATE])
def test_what_is_signed_is_verified(key: PrivateKey, algorithm: str, suffix: str) -> None:
    made = sign(key, b"data", algorithm + suffix)
    verify(public_blob(key), made, b"data", algorithm)
    for wrong in (
        (public_blob(key), made, b"other data", algorithm),
        (public_blob(SIGNED[0][0] if key is RSA else RSA), made, b"data", algorithm),
        (public_blob(key), made, b"data", "rsa-sha2-512" if key is not RSA else "ssh-ed25519"),
        (public_blob(key), made[:-1], b"data", algorithm),
        (public_blob(key), b"", b"data", algorithm),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
            verify(*wrong)


def test_a_signature_with_sha1_is_no_other_one() -> None:
    made = sign(RSA, b"data", "ssh-rsa")
    with pytest.raises(ValueError, match="is not of the kind rsa-sha2-512"):
        verify(public_blob(RSA), made, b"data", "rsa-sha2-512")


@pytest.mark.parametrize(
    ("kind", "accepted", "known", "chosen"),
    [
        ("ssh-ed25519", (), None, "ssh-ed25519"),
        ("ssh-ed25519", ("rsa-sha2-512",), None, ""),
        ("ssh-rsa", (), None, "rsa-sha2-512"),
        ("ssh-rsa", (), ("rsa-sha2-256",), "rsa-sha2-256"),
        ("ssh-rsa", (), ("ssh-rsa",), ""),
        ("ssh-rsa", ("ssh-rsa",), ("ssh-rsa",), "ssh-rsa"),
        ("ssh-rsa", ("rsa-sha2-256", "rsa-sha2-512"), None, "rsa-sha2-256"),
        (f"ssh-rsa{CERTIFICATE}", (), None, f"rsa-sha2-512{CERTIFICATE}"),
        (f"ssh-rsa{CERTIFICATE}", ("rsa-sha2-512",), None, ""),
        ("sk-ssh-ed25519@openssh.com", (), None, "sk-ssh-ed25519@openssh.com"),
    ],
)
def test_a_key_signs_as_both_sides_allow(
    kind: str, accepted: tuple[str, ...], known: tuple[str, ...] | None, chosen: str
) -> None:
    assert algorithm_for(kind, accepted, known) == chosen


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**64])
def test_integers_are_never_negative(number: int) -> None:
    data, rest = split(mpint(number))
    assert (int.from_bytes(data, "big", signed=True), rest) == (number, b"")


@pytest.mark.parametrize("cut", [b"", b"\0\0", b"\0\0\0\5abc", struct.pack(">I", 2**31)])
def test_what_is_cut_short_is_no_string(cut: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        split(cut)


@pytest.mark.parametrize(
    "line", [b"", b"ssh-ed25519", b"ssh-ed25519 AAAA", b"ssh-rsa !", b"-----BEGIN X-----\nabc"]
)
def test_what_is_no_public_key_is_none(line: bytes) -> None:
    assert from_line(line) is None


def test_a_line_may_have_a_comment() -> None:
    blob = string("ssh-x") + string(b"key")
    assert from_line(b"ssh-x AAAABXNzaC14AAAAA2tleQ== me@here with words") == blob
