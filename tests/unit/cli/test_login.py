"""A login is stored, whatever the files of the project have."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dockless.errors import UsageError

Run = Callable[..., Result]

HOST = "r.example:5000"
TYPED = ("login", HOST, "--username", "me", "--password-stdin")


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring in a file, and a registry that takes every login."""
    path = tmp_path / "ring.json"
    monkeypatch.setenv("DOCKLESS_KEYRING", "bed.jsonring.JsonKeyring")
    monkeypatch.setenv("JSON_KEYRING", str(path))
    monkeypatch.setattr("dockless.client.login.check_login", lambda *_: True)
    return path


WRONG = [
    ("docker-config.json", '{"registry":"private","image":"A B"}'),
    ("docker-config.json", '{"registry":"banana"}'),
    ("docker-config.json", f'{{"registry":"private","image":"{HOST}/a@sha256:{"0" * 64}"}}'),
    ("docker-config.json", '{"image":"UPPER"}'),
    ("config/deploy.yml", "service: p\nimage: A B\n"),
    ("config/deploy.yml", f"service: p\nimage: {HOST}/a@sha256:{'0' * 64}\n"),
    ("config/deploy.yml", "service: p\nimage: '[::1]:5000'\n"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_value_of_a_file_stops_no_login_to_a_named_host(
    run: Run, project: Path, ring: Path, name: str, text: str
) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    result = run(*TYPED, input="pw\n")
    assert result.exit_code == 0, result.exception
    assert "This login continues without it." in result.stderr
    assert HOST in ring.read_text()
    out = run("logout", HOST)
    assert out.exit_code == 0, out.exception
    assert HOST not in ring.read_text()


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_without_a_host_the_value_is_an_error(
    run: Run, project: Path, ring: Path, name: str, text: str
) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    result = run("login", "--username", "me", "--password-stdin", input="pw\n")
    assert isinstance(result.exception, UsageError)
    assert not ring.exists()


@pytest.mark.parametrize(
    "typed", [("--registry", "banana"), ("--image", "A B"), ("--image", "other.example/x/y")]
)
def test_what_was_typed_wrongly_is_an_error_also_where_a_file_is_wrong(
    run: Run, project: Path, ring: Path, typed: tuple[str, ...]
) -> None:
    (project / "docker-config.json").write_text(json.dumps({"registry": "banana"}))
    result = run(*TYPED, *typed, input="pw\n")
    assert isinstance(result.exception, UsageError)
    assert not ring.exists()


KEY = {
    "type": "service_account",
    "client_email": "me@example.com",
    "private_key": "k",
    "token_uri": "https://tokens.example.com",
}
GOOGLE = "europe-docker.pkg.dev"


@pytest.mark.parametrize("others", [(), ("notes.txt",), ("k2.json", "src/Dockerfile")])
def test_a_key_in_a_folder_that_is_no_project_is_taken(
    run: Run, project: Path, ring: Path, others: tuple[str, ...]
) -> None:
    for name in others:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).touch()
    (project / "k.json").write_text(json.dumps(KEY))
    result = run("login", GOOGLE, "--key-file", "k.json")
    assert result.exit_code == 0, result.exception
    assert GOOGLE in ring.read_text()


@pytest.mark.parametrize("mark", ["Dockerfile", "Containerfile", "package.json", "compose.yml"])
def test_a_key_in_a_project_is_refused(run: Run, project: Path, ring: Path, mark: str) -> None:
    (project / mark).touch()
    (project / "k.json").write_text(json.dumps(KEY))
    result = run("login", GOOGLE, "--key-file", "k.json")
    assert isinstance(result.exception, UsageError)
    assert "lies in the build context" in str(result.exception)
    assert not ring.exists()


@pytest.mark.parametrize("typed", ["me:s3cret", ":s3cret", "ci@example.com:s3cret:x"])
@pytest.mark.parametrize(
    "command",
    [
        ("login", HOST, "--password-stdin"),
        ("login", HOST),
        ("logout", HOST),
        ("push", "a.tar", "--image", f"{HOST}/a:1"),
        ("push", "--registry", "ghcr", "--explain"),
        ("mirror", "a.tar", "--to", HOST),
    ],
)
def test_a_username_with_a_colon_is_refused_and_not_shown(
    run: Run, project: Path, ring: Path, command: tuple[str, ...], typed: str
) -> None:
    del project
    result = run(*command, "--username", typed, input="pw\n")
    assert isinstance(result.exception, UsageError)
    assert "--username contains a colon" in result.exception.what
    assert "s3cret" not in str(result.exception) + result.output
    assert not ring.exists()
