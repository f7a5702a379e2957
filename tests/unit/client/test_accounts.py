from pathlib import Path

import pytest

from dockless.cli import prompts
from dockless.client import accounts
from dockless.client.bundling import registries
from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.credentials.credential_sources import Given
from dockless.errors import UsageError
from dockless.model.listed import Listed, SyncItem, SyncRegistry
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository

TARGET = Repository.of("target.example", "acme/shop")
SOURCE = Repository.of("source.example", "acme/shop")


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("DOCKLESS_KEYRING", "none")


def found(given: Given, repository: Repository) -> str:
    settings = Settings(project=lambda: Setting("shop", "here"))
    credential = accounts.find_for(prompts, TARGET.host, settings, given, repository).credential
    return credential.username if credential else ""


def test_a_login_in_the_options_is_for_the_target_alone() -> None:
    given = Given("me", Secret("x"), "")
    assert found(given, TARGET) == "me"
    assert found(given, SOURCE) == ""


def test_a_login_in_the_environment_is_for_the_target_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKLESS_USERNAME", "me")
    monkeypatch.setenv("DOCKLESS_PASSWORD", "x")
    assert found(Given(), TARGET) == "me"
    assert found(Given(), SOURCE) == ""


NO_SETTINGS = Settings(project=lambda: Setting("shop", "here"))
GIVEN = Given("me", Secret("x"), "")


@pytest.mark.parametrize("hosts", [[TARGET.host, SOURCE.host], ["a", "b", "c"]])
@pytest.mark.parametrize("given", [GIVEN, Given()])
def test_one_password_is_refused_for_several_registries(
    monkeypatch: pytest.MonkeyPatch, hosts: list[str], given: Given
) -> None:
    if given.password is None:
        monkeypatch.setenv("DOCKLESS_PASSWORD", "x")
    with pytest.raises(UsageError, match=f"several registries, {', '.join(sorted(hosts))}, but"):
        accounts.for_hosts(prompts, hosts, NO_SETTINGS, given, "They name")


@pytest.mark.parametrize("hosts", [[TARGET.host], [TARGET.host, TARGET.host]])
def test_one_password_is_for_the_one_registry_that_is_named(hosts: list[str]) -> None:
    find = accounts.for_hosts(prompts, hosts, NO_SETTINGS, GIVEN, "They name")
    assert find(TARGET).credential is not None
    assert find(SOURCE).credential is None


def test_one_password_is_for_no_registry_where_none_is_named() -> None:
    find = accounts.for_hosts(prompts, (), NO_SETTINGS, GIVEN, "They name")
    assert find(SOURCE).credential is None


def test_the_registries_of_sources_are_those_without_a_login_of_their_own(tmp_path: Path) -> None:
    login = Credential(username="me", password=Secret("x"))
    own = SyncItem(
        registry=SyncRegistry(host="own.example", credential=login),
        repository="own.example/a",
        origin="",
        named=("1",),
    )
    none = SyncItem(
        registry=SyncRegistry(host="none.example"),
        repository="none.example/a",
        origin="",
        named=("1",),
    )
    texts = ("docker://one.example:5000/a:1", "docker://a:1", "docker://", "shop.tar", "a/b:1")
    listed = (
        *(Listed(text=text) for text in texts),
        Listed(text="", origin="", wanted=own),
        Listed(text="", origin="", wanted=none),
    )
    found = set(registries(listed, tmp_path))
    assert found == {"one.example:5000", "docker.io", "none.example"}
