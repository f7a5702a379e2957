"""Private keys that a project's secrets hold, which stand in no file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dockless.errors import UsageError
from dockless.model.secret import Secret
from dockless.ssh.agent import NoSignatureError
from dockless.ssh.config import Route
from dockless.ssh.keys import KeyFiles
from dockless.ssh.wire import as_line

ED25519, EC, RSA = Ed25519PrivateKey.generate(), generate_ec(SECP256R1()), generate_rsa(65537, 2048)
Key = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


def route(*keys: str) -> Route:
    return Route(
        name="h",
        address="h",
        port=22,
        user="me",
        known_as="h",
        identities=(Path("/absent"),),
        key_data=tuple(map(Secret, keys)),
        identities_only=True,
        agent="",
        known_hosts=(),
        system_known_hosts=(),
    )


def no_passphrase(_: str) -> None:
    """Give none."""


def text(key: Key, form: PrivateFormat, password: bytes = b"") -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (ED25519, PrivateFormat.OpenSSH),
        (ED25519, PrivateFormat.PKCS8),
        (EC, PrivateFormat.OpenSSH),
        (EC, PrivateFormat.TraditionalOpenSSL),
        (EC, PrivateFormat.PKCS8),
        (RSA, PrivateFormat.OpenSSH),
        (RSA, PrivateFormat.TraditionalOpenSSL),
        (RSA, PrivateFormat.PKCS8),
    ],
)
@pytest.mark.parametrize("written", [str, lambda key: key.strip().replace("\n", "\\n")])
def test_a_key_is_read_in_any_usual_form(
    key: Key, form: PrivateFormat, written: Callable[[str], str]
) -> None:
    ring = KeyFiles(no_passphrase)
    (offered,) = ring.offers(route(written(text(key, form))))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert as_line(offered.blob).decode() == public


def test_secrets_are_looked_up_once_for_all_hosts() -> None:
    asked = []

    def key_of(named: Secret) -> Secret:
        asked.append(named.reveal())
        return Secret(text(ED25519, PrivateFormat.OpenSSH))

    ring = KeyFiles(no_passphrase, key_of)
    for _ in range(3):
        assert len(list(ring.offers(route("KEY")))) == 1
    assert asked == ["KEY"]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hunter2",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        text(RSA, PrivateFormat.PKCS8, b"locked"),
    ],
)
def test_what_is_no_key_or_is_locked_is_told_and_not_shown(wrong: str) -> None:
    ring = KeyFiles(no_passphrase)
    assert list(ring.offers(route(wrong))) == []
    (trouble,) = ring.key_troubles.values()
    assert "`ssh.key_data`" in trouble
    assert "hunter2" not in trouble
    assert "abc" not in trouble


def test_a_secret_that_is_not_there_is_an_error() -> None:
    def key_of(_: Secret) -> Secret:
        raise UsageError("No secret KEY is in .kamal/secrets.")

    with pytest.raises(UsageError, match="No secret KEY"):
        list(KeyFiles(no_passphrase, key_of).offers(route("KEY")))


LOCKED = [
    pytest.param(ED25519, PrivateFormat.OpenSSH, id="Ed25519"),
    pytest.param(EC, PrivateFormat.OpenSSH, id="ECDSA"),
    pytest.param(RSA, PrivateFormat.TraditionalOpenSSL, id="RSA in PKCS#1"),
    pytest.param(EC, PrivateFormat.PKCS8, id="ECDSA in PKCS#8"),
]


@pytest.mark.parametrize(("key", "form"), LOCKED)
@pytest.mark.parametrize("name", ["DEPLOY_KEY", ""])
def test_a_locked_key_of_the_project_is_unlocked_once_for_all_hosts(
    key: Key, form: PrivateFormat, name: str
) -> None:
    asked: list[str] = []
    answers = ["wrong", "locked"]
    whole = text(key, form, b"locked")

    def passphrase(what: str) -> Secret:
        asked.append(what)
        return Secret(answers.pop(0))

    def key_of(named: Secret) -> Secret:
        return Secret(whole) if name else named

    ring = KeyFiles(passphrase, key_of)
    for _ in range(2):
        (offered,) = ring.offers(route(name or whole))
        if form == PrivateFormat.OpenSSH and len(answers) == 2:
            assert asked == [], "nobody is asked before the host has accepted the key"
        way = "rsa-sha2-512" if offered.kind == "ssh-rsa" else offered.kind
        assert offered.sign(b"data", way)
    assert asked == [name or "ssh.key_data"] * 2
    assert ring.key_troubles == {}


@pytest.mark.parametrize(("key", "form"), LOCKED)
@pytest.mark.parametrize(
    ("kept", "why"),
    [(None, "no passphrase was given"), (Secret("wrong"), "the passphrase is wrong")],
)
def test_a_locked_key_of_the_project_without_its_passphrase_is_told_of(
    key: Key, form: PrivateFormat, kept: Secret | None, why: str
) -> None:
    ring = KeyFiles(lambda _: kept, lambda _: Secret(text(key, form, b"locked")))
    for offered in ring.offers(route("DEPLOY_KEY")):
        with pytest.raises(NoSignatureError):
            offered.sign(b"data", offered.kind)
    (trouble,) = ring.key_troubles.values()
    assert "The key DEPLOY_KEY of `ssh.key_data` in deploy.yml" in trouble
    assert why in trouble
    assert "PRIVATE" not in trouble
