import json
import os
import stat
from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.processes.programs import ProgramsHere
from dockless.sources import docker_daemon
from dockless.sources.docker_daemon import tools_here, usable_socket


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A socket, at the place where Docker's usually is."""
    path = tmp_path / "docker.sock"
    os.mknod(path, stat.S_IFSOCK | 0o600)
    monkeypatch.setattr(docker_daemon, "_USUAL", str(path))
    return path


def with_context(folder: Path, document: str) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(document)
    return folder


def test_the_usual_socket_is_found(usual: Path, tmp_path: Path) -> None:
    assert usable_socket({})[0] == usual
    assert usable_socket({"HOME": str(tmp_path), "DOCKER_CONTEXT": "default"})[0] == usual


@pytest.mark.parametrize("document", ["{}", '{"currentContext": "default"}', "[]", "{", "7"])
def test_a_configuration_without_a_context_leaves_the_usual_one(
    usual: Path, tmp_path: Path, document: str
) -> None:
    folder = with_context(tmp_path / ".docker", document)
    assert usable_socket({"HOME": str(tmp_path)})[0] == usual
    assert usable_socket({"DOCKER_CONFIG": str(folder)})[0] == usual


def test_a_context_is_left_to_docker(usual: Path, tmp_path: Path) -> None:
    folder = with_context(tmp_path / ".docker", json.dumps({"currentContext": "rootless"}))
    assert usable_socket({"DOCKER_CONTEXT": "build1"})[0] is None
    assert usable_socket({"HOME": str(tmp_path)})[0] is None
    assert usable_socket({"DOCKER_CONFIG": str(folder)})[0] is None
    # docker takes DOCKER_CONTEXT before its configuration, and DOCKER_HOST before both
    assert usable_socket({"DOCKER_CONFIG": str(folder), "DOCKER_CONTEXT": "default"})[0] == usual
    assert (
        usable_socket({"DOCKER_CONFIG": str(folder), "DOCKER_HOST": f"unix://{usual}"})[0] == usual
    )


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:2375", "ssh://me@build1", "npipe:////./pipe/docker", "nonsense"]
)
def test_other_ways_to_a_daemon_are_left_to_docker(usual: Path, address: str) -> None:
    assert usual.is_socket()
    assert usable_socket({"DOCKER_HOST": address})[0] is None


def test_what_is_no_socket_or_may_not_be_used_is_left_to_docker(
    usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert usable_socket({"DOCKER_HOST": f"unix://{tmp_path / 'file'}"})[0] is None
    assert usable_socket({"DOCKER_HOST": f"unix://{tmp_path / 'absent'}"})[0] is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert usable_socket({"DOCKER_HOST": f"unix://{usual}"})[0] is None


def test_docker_comes_first_with_its_client_and_without(usual: Path, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DOCKER_HOST": f"unix://{usual}"}
    programs = ProgramsHere(environment)
    names = ["docker", "podman", "nerdctl", "buildah"]
    there = tools_here(programs, environment)
    assert [tool.name for tool in there] == names
    assert [tool.available() for tool in there] == [True, False, False, False]
    usual.unlink()
    nowhere = tools_here(programs, {"HOME": str(tmp_path)})
    assert [tool.name for tool in nowhere] == names
    assert not any(tool.available() for tool in nowhere)


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "DOCKER_HOST names /nowhere/docker.sock"),
        ({"DOCKER_HOST": "unix://{file}"}, "which is not a socket"),
        ({"DOCKER_HOST": "tcp://me:hunter2@10.0.0.9:2375"}, "not at a socket of this machine"),
        ({"DOCKER_HOST": "ssh://me@build1"}, "DOCKER_HOST names a daemon"),
        ({"DOCKER_CONTEXT": "build1"}, "the context 'build1' is selected"),
    ],
)
def test_a_daemon_that_is_configured_and_out_of_reach_cannot_tell(
    usual: Path, tmp_path: Path, environment: dict[str, str], why: str
) -> None:
    assert usual.is_socket()
    (tmp_path / "file").touch()
    environment = {
        "PATH": str(tmp_path / "empty"),
        **{name: text.format(file=tmp_path / "file") for name, text in environment.items()},
    }
    docker, *_ = tools_here(ProgramsHere(environment), environment)
    assert docker.available()
    with pytest.raises(EngineError, match="docker's client is not installed") as caught:
        docker.find(("shop:1",))
    with pytest.raises(EngineError, match="docker's client is not installed"):
        docker.find_id("a" * 12)
    assert why in caught.value.what
    assert "hunter2" not in str(caught.value)


def test_a_socket_without_permission_cannot_tell(
    usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    environment = {"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path)}
    docker, *_ = tools_here(ProgramsHere(environment), environment)
    with pytest.raises(EngineError, match=f"its daemon is at {usual}, for which this user has no"):
        docker.find(("shop:1",))
