"""Encrypted key files: a wrong passphrase may be typed again."""

import contextlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dockless.model.secret import Secret
from dockless.ssh.agent import NoSignatureError
from dockless.ssh.config import Route
from dockless.ssh.keys import KeyFiles


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id_ed25519"
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.BestAvailableEncryption(b"right"),
        )
    )
    path.chmod(0o600)
    return path


def route(key: Path) -> Route:
    return Route(
        name="h",
        address="h",
        port=22,
        user="me",
        known_as="h",
        identities=(key,),
        identities_only=True,
        agent="",
        known_hosts=(),
        system_known_hosts=(),
    )


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_a_wrong_passphrase_is_asked_for_again(key: Path, wrong: int) -> None:
    answers = [f"wrong {n}" for n in range(wrong)] + ["right"]
    asked: list[str] = []

    def passphrase(path: str) -> Secret:
        asked.append(path)
        return Secret(answers.pop(0))

    ring = KeyFiles(passphrase)
    (offer,) = ring.offers(route(key))
    assert asked == [], "nobody is asked before the host has accepted the key"
    with contextlib.nullcontext() if wrong < 3 else pytest.raises(NoSignatureError):
        offer.sign(b"data", offer.kind)
    assert len(asked) == min(wrong + 1, 3)
    assert bool(ring.troubles) is (wrong == 3)


@pytest.mark.parametrize("kept", [Secret("wrong"), None])
def test_what_a_keyring_keeps_is_not_tried_for_ever(key: Path, kept: Secret | None) -> None:
    asked: list[str] = []

    def passphrase(path: str) -> Secret | None:
        asked.append(path)
        return kept

    ring = KeyFiles(passphrase)
    (offer,) = ring.offers(route(key))
    for _ in range(2):
        with pytest.raises(NoSignatureError):
            offer.sign(b"data", offer.kind)
    assert len(asked) == (1 if kept is None else 2)
    assert key in ring.troubles
