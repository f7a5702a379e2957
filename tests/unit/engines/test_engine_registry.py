"""What each engine gets of the credential, and how it finds it."""

import json
from pathlib import Path

import pytest

from dockless.engines.engine_registry import engine_grant, sent_authfile
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Grant, Secret
from dockless.oci.reference import Repository
from fakes.engine_registry import FakeEngineRegistry

HUB = Repository.of("docker.io", "team/shop")
PASSWORD = Credential(username="me", password=Secret("hunter2"))
TOKEN = Credential(username="me", password=Secret("hunter2"), registry_token=Secret("one-repo"))


class WithTokens(FakeEngineRegistry):
    """A registry whose token service gives a token for one repository."""

    def grant(self, repository: Repository) -> Grant:
        assert repository == HUB
        return Grant(TOKEN, 77.0)


def read(engine: str, registry: FakeEngineRegistry) -> tuple[object, bool, float]:
    """Return what an engine finds in its authfile, whether it is anonymous, and when that ends."""
    found = engine_grant(engine, registry, HUB)
    with found.authfile() as descriptor:  # opened by its path, as the engine does
        content = Path(f"/dev/fd/{descriptor}").read_bytes()
    return json.loads(content)["auths"], found.anonymous, found.ends


def test_crane_gets_a_token_for_the_repository_and_skopeo_the_credential() -> None:
    registry = WithTokens(Endpoint(host="docker.io"), PASSWORD)
    crane, anonymous, ends = read("crane", registry)
    assert crane == {"https://index.docker.io/v1/": {"registrytoken": "one-repo"}}
    assert (anonymous, ends) == (False, 77.0)
    skopeo, anonymous, ends = read("skopeo", registry)
    assert skopeo == {"docker.io": {"auth": "bWU6aHVudGVyMg=="}}
    assert (anonymous, ends) == (False, float("inf"))


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_without_a_credential_an_engine_is_anonymous(engine: str) -> None:
    registry = FakeEngineRegistry(Endpoint(host="docker.io"))
    auths, anonymous, _ = read(engine, registry)
    assert (auths, anonymous) == ({}, True)
    assert sent_authfile(engine, registry, HUB, "docker.io") is None


@pytest.mark.parametrize(
    ("engine", "key"), [("crane", "https://index.docker.io/v1/"), ("skopeo", "docker.io")]
)
def test_an_engine_on_a_host_gets_the_token_in_its_own_form(engine: str, key: str) -> None:
    registry = WithTokens(Endpoint(host="docker.io"), PASSWORD)
    sent = sent_authfile(engine, registry, HUB, "docker.io")
    assert json.loads(sent or b"") == {"auths": {key: {"registrytoken": "one-repo"}}}
