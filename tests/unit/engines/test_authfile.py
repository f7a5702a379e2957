import base64
import json

import pytest

from dockless.engines.authfile import authfile
from dockless.model.secret import Credential, Secret


def entries(host: str, credential: Credential | None, engine: str = "crane") -> object:
    document = json.loads(authfile(engine, host, credential).reveal())
    assert list(document) == ["auths"]
    return document["auths"]


def test_a_password_becomes_one_entry() -> None:
    auth = base64.b64encode(b"bob:pa:ss").decode()

    assert entries("host:5000", Credential(username="bob", password=Secret("pa:ss"))) == {
        "host:5000": {"auth": auth}
    }


@pytest.mark.parametrize(("username", "user"), [("", "<token>"), ("0000", "0000")])
def test_an_identity_token_has_a_user_beside_it(username: str, user: str) -> None:
    credential = Credential(
        username=username, password=Secret("unused"), identity_token=Secret("refresh")
    )
    auth = base64.b64encode(f"{user}:".encode()).decode()

    assert entries("host", credential) == {"host": {"auth": auth, "identitytoken": "refresh"}}


def test_anonymous_is_no_entry() -> None:
    assert entries("host", None) == {}


@pytest.mark.parametrize(
    ("engine", "host", "key"),
    [
        ("crane", "docker.io", "https://index.docker.io/v1/"),
        ("skopeo", "docker.io", "docker.io"),
        ("crane", "ghcr.io", "ghcr.io"),
        ("skopeo", "host:5000", "host:5000"),
    ],
)
def test_each_engine_finds_the_entry_by_its_own_name(engine: str, host: str, key: str) -> None:
    assert entries(host, Credential(username="me", password=Secret("pw")), engine) == {
        key: {"auth": base64.b64encode(b"me:pw").decode()}
    }
