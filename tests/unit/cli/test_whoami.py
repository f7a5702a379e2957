"""What `whoami` says where a keyring cannot be opened."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockless.cli.main import dockless
from dockless.credentials import keyrings
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.errors import AuthError, UsageError
from dockless.model.secret import Credential, Secret
from fakes.keyring import MemoryKeyring

WRONG = AuthError("That is not its password.", "Set DOCKLESS_KEYRING_PASSWORD to the right one.")


@pytest.fixture(autouse=True)
def _encrypted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encrypted file with a login; the real one takes a second for each opening."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKLESS_KEYRING", "file")
    made = MemoryKeyring()
    logins = KeyringLogins("file", lambda: made, tmp_path / "lock")
    logins.put("host.example", Credential(username="me", password=Secret("s3cret")))

    def opened(_: str, environment: Mapping[str, str], *__: object) -> MemoryKeyring:
        if environment["DOCKLESS_KEYRING_PASSWORD"] != "right":
            raise WRONG
        return made

    monkeypatch.setattr(keyrings, "backend", opened)


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
    config = tmp_path / "docker" / "config.json"
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


@pytest.mark.parametrize("key", ["ci.example", "ci.example:5000", "10.0.0.1:80"])
def test_the_logins_of_dockers_variable_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    monkeypatch.setenv("DOCKLESS_KEYRING_PASSWORD", "right")
    monkeypatch.setenv(
        "DOCKER_AUTH_CONFIG", json.dumps({"auths": {key: {"auth": "bWU6aHVudGVyMg=="}}})
    )
    run("--format", "json")
    said = capsys.readouterr()
    [login] = [each for each in json.loads(said.out)["logins"] if each["registry"] == key]
    assert "DOCKER_AUTH_CONFIG" in login.values()
    assert "hunter2" not in said.out + said.err
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "hunter2")
    run()
    said = capsys.readouterr()
    assert "Warning: DOCKER_AUTH_CONFIG " in said.err
    assert "hunter2" not in said.out + said.err


def unreadable(path: Path, how: str) -> None:
    """Make a file of logins that cannot be read, whoever reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match how:
        case "a folder":
            path.mkdir()
        case "no JSON":
            path.write_text("{")
        case "a ring of links":
            path.symlink_to(path)
        case "in a file":
            path.parent.rmdir()
            path.parent.write_text("")


UNREADABLE = ["a folder", "no JSON", "a ring of links", "in a file"]


@pytest.mark.parametrize("how", UNREADABLE)
@pytest.mark.parametrize("place", ["docker", "containers"])
def test_a_file_that_cannot_be_read_hides_no_other_login(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
    place: str,
) -> None:
    monkeypatch.setenv("DOCKLESS_KEYRING_PASSWORD", "right")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / place / ("config.json" if place == "docker" else "auth.json")
    unreadable(path, how)
    run()
    said = capsys.readouterr()
    assert "host.example" in said.out
    assert said.err.count("Warning: ") == 1
    assert str(path) in said.err
    run("host.example")
    with pytest.raises(UsageError, match=str(path)):
        run("other.example")
