from pathlib import Path

import pytest

from dockless.cli import prompts
from dockless.client import accounts
from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.credentials.credential_sources import Given
from dockless.model.secret import Secret
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
