import base64
import json

import pytest

from dockless.credentials.authfile import authfile, docker_key
from dockless.model.secret import Credential, Secret


def entries(key: str, credential: Credential | None) -> object:
    document = json.loads(authfile(key, credential).reveal())
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


def test_docker_knows_docker_hub_by_an_old_url() -> None:
    assert docker_key("docker.io") == "https://index.docker.io/v1/"
    assert docker_key("ghcr.io") == "ghcr.io"
