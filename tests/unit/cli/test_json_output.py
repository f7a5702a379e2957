"""Every command that is asked for JSON prints one document, as its schema has it; errors, too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from jsonschema import Draft202012Validator

from bed.images import Layout, named

DOCS = Path(__file__).parents[3] / "docs"
CRANE = "#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n  1.2\\n'\n"
Run = Callable[..., Result]


def document(result: Result, schema: str = "push-result") -> dict[str, Any]:
    """Return the one document of standard output, which follows its schema."""
    made = json.loads((DOCS / f"{schema}.schema.json").read_text())
    Draft202012Validator.check_schema(made)
    read: dict[str, Any] = json.loads(result.stdout)
    Draft202012Validator(made).validate(read)
    return read


@pytest.mark.parametrize(
    "line",
    [
        "push --format json --bogus",
        "push --format=json one two three",
        "push --format json --tag",
        "push --format json --remote --local",
        "push --format json --all",
        "push --format json --timeout soon",
        "push --format text --format json --no-such",
        "mirror --format json",
        "mirror --format json x.tar --to Not/A/Host",
        "mirror --format json x.tar --to h --parallel 0",
        "bundle list --format json",
        "verify --format json",
        "verify --format json absent.json",
        "cache --format json",
        "cache info --format json more",
        "cache prune --format json --some",
        "whoami --format json one two",
        "hosts --format json --servers none",
        "doctor --format json --username me",
        "tools list --format json more",
        "tools path --format json docker",
        "tools path --format json crane --all",
        "tools install --format json --sha256 00",
        "login --format json",
        "no-such --format json",
        "--no-such push --format json",
    ],
)
def test_a_wrong_command_line_is_a_document_of_its_error(run: Run, line: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 2 or result.exception.exit_code == 2  # type: ignore[union-attr] # ours
    error = document(result)["error"]
    assert (error["kind"], error["exitCode"]) == ("usage", 2)
    assert error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    "line",
    [
        "push --bogus",
        "push --bogus --format text",
        "push --bogus --format yaml",
        "push --format json --bogus --format text",
        "push -- --format json --bogus",
    ],
)
def test_who_asks_for_no_json_gets_none(run: Run, line: str) -> None:
    assert run(*line.split()).stdout == ""


def test_a_secret_in_a_wrong_command_line_is_not_in_the_document(run: Run) -> None:
    result = run("push", "--format", "json", "--to=https://me:hunter2@host.example/x")
    assert "hunter2" not in result.stdout
    assert document(result)["error"]["exitCode"] == 2


@pytest.mark.parametrize(
    ("argv", "member"),
    [(("info",), "cache"), (("prune",), "pruned"), (("prune", "--all"), "pruned")],
)
def test_the_store_is_a_document(run: Run, argv: tuple[str, ...], member: str) -> None:
    said = document(run("cache", *argv, "--format", "json"), "cache")
    assert said.keys() == {"schemaVersion", member}


def test_the_engines_are_documents(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKLESS_TOOLS_DIR", str(tmp_path / "none"))
    missing = document(run("tools", "list", "--format", "json"), "tools")
    assert [each["state"] for each in missing["engines"]] == ["missing", "missing"]
    nothing = run("tools", "path", "--format", "json")
    assert document(nothing)["error"]["exitCode"] == 7
    crane = tmp_path / "bin" / "crane"
    crane.write_text(CRANE)
    crane.chmod(0o755)
    for argv in ((), ("crane",), ("--all",)):
        said = document(run("tools", "path", *argv, "--format", "json"), "tools")
        assert said["paths"] == [{"engine": "crane", "path": str(crane)}]
    assert document(run("tools", "list", "--format", "json"), "tools")["engines"]


@pytest.mark.parametrize("login", [True, False])
def test_logins_are_a_document(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, login: bool
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if login:
        auths = {"auths": {"docker.example": {"auth": "bWU6cGFzcw=="}}}
        (tmp_path / "config.json").write_text(json.dumps(auths))
    said = document(run("whoami", "--format", "json"), "whoami")
    assert [each["username"] for each in said["logins"]] == ["me"] * login
    error = document(run("whoami", "other.example", "--format", "json"))["error"]
    assert error["exitCode"] == 4


def test_a_file_of_logins_that_cannot_be_read_is_in_the_document(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    result = run("whoami", "--format", "json")
    (unread,) = document(result, "whoami")["unread"]
    assert str(tmp_path) in unread
    assert f"Warning: {unread}" in result.stderr


def test_the_servers_are_a_document(run: Run, project: Path) -> None:
    (project / "deploy-servers.txt").write_text("one me\ntwo me 2222\n")
    said = document(run("hosts", "--format", "json"), "hosts")
    assert [each["host"] for each in said["hosts"]] == ["one", "two"]


@pytest.mark.parametrize(
    "argv",
    [
        ("--registry", "ghcr", "--namespace", "acme"),
        ("shop:dev", "--image", "registry.example.com:5000/team/shop", "--tag", "a", "--tag", "b"),
        ("--username", "me", "--password", "hunter2"),
    ],
)
def test_the_settings_are_a_document(run: Run, argv: tuple[str, ...]) -> None:
    result = run("push", "--explain", "--format", "json", *argv)
    assert result.exit_code == 0
    assert "hunter2" not in result.stdout
    said = document(result)["explanation"]
    assert said["error"] is None
    named = [each["setting"] for each in said["settings"]]
    assert {"registry", "server", "target", "credential", "source"} <= set(named)
    server = next(each for each in said["settings"] if each["setting"] == "server")
    assert (server["value"], server["from"]) == (None, None)


@pytest.mark.parametrize("kind", ["ecr", "private", "nowhere"])
def test_settings_that_name_no_target_are_a_document_with_the_error(run: Run, kind: str) -> None:
    result = run("push", "--explain", "--format", "json", "--registry", kind)
    assert result.exception
    said = document(result)
    error = said["error"] if kind == "nowhere" else said["explanation"]["error"]
    assert error["exitCode"] == 2


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("bundled", [False, True])
def test_the_images_of_a_bundle_are_a_document(
    run: Run, tmp_path: Path, count: int, *, bundled: bool
) -> None:
    names = [f"ghcr.io/acme/shop:{number}" for number in range(count)]
    layout = Layout(tmp_path / "layout")
    layout.top(*(layout.image([], f"arch{name[-1]}", **named(name)) for name in names))
    source = layout.folder
    if bundled and count:
        source = tmp_path / "disk"
        assert run("bundle", "create", str(layout.folder), "-o", str(source)).exit_code == 0
    said = document(run("bundle", "list", str(source), "--format", "json"), "bundle")
    assert said["schemaVersion"] == 1
    assert [each["name"] for each in said["images"]] == names
