"""What `whoami` says where a keyring cannot be opened."""

import json
from functools import partial
from pathlib import Path

import pytest

from dockless.cli.main import dockless
from dockless.credentials import keyrings
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret

# `keyrings.cryptfile` imports its parts late, through names that its own packages deprecate
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _encrypted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("DOCKLESS_KEYRING", "file")
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    environment = {"DOCKLESS_KEYRING_PASSWORD": "right"}
    opened = partial(keyrings.backend, "file", environment)
    logins = KeyringLogins("file", opened, tmp_path / "lock")
    logins.put("host.example", Credential("me", Secret("s3cret")))


def run(*arguments: str) -> None:
    dockless.main(["whoami", *arguments], standalone_mode=False)


@pytest.mark.parametrize("password", ["wrong", "", "right "])
@pytest.mark.parametrize("arguments", [(), ("host.example",), ("other.example",)])
def test_a_keyring_that_cannot_be_opened_is_no_keyring_without_logins(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("DOCKLESS_KEYRING_PASSWORD", password)
    with pytest.raises(
        AuthError, match=r"The keyring \(encrypted file\) could not be opened"
    ) as why:
        run(*arguments)
    assert "DOCKLESS_KEYRING_PASSWORD" in why.value.remedy
    said = capsys.readouterr()
    assert "no login" not in (said.err + said.out + str(why.value)).lower()


def test_what_else_is_found_is_listed_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKLESS_KEYRING_PASSWORD", "wrong")
    config = tmp_path / "DOCKER_CONFIG" / "config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"auths": {"docker.example": {"auth": "bWU6cGFzcw=="}}}))
    run()
    said = capsys.readouterr()
    assert "docker.example" in said.out
    assert "Warning: The keyring (encrypted file) could not be opened" in said.err


def test_with_the_right_password_there_is_a_login(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKLESS_KEYRING_PASSWORD", "right")
    run("host.example")
    assert "me" in capsys.readouterr().out
    with pytest.raises(AuthError, match="no login for other"):
        run("other.example")
