import hashlib
import json
from pathlib import Path

import pytest

from dockless.sources.daemons import (
    DaemonAddress,
    contact,
    containerd_address,
    docker_address,
    podman_address,
)


def _context(folder: Path, name: str, host: str) -> None:
    meta = folder / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_docker_host_comes_first_and_shows_no_password(tmp_path: Path) -> None:
    _context(tmp_path, "far", "tcp://other:1")
    environment = {"DOCKER_HOST": "tcp://me:secret@build:2375", "DOCKER_CONFIG": str(tmp_path)}
    assert docker_address(environment, tmp_path) == DaemonAddress("tcp://build:2375", "DOCKER_HOST")


@pytest.mark.parametrize("named", [{}, {"DOCKER_CONTEXT": "far"}])
def test_a_context_says_where_the_daemon_is(tmp_path: Path, named: dict[str, str]) -> None:
    _context(tmp_path, "far", "unix:///run/far.sock")
    found = docker_address({"DOCKER_CONFIG": str(tmp_path)} | named, tmp_path)
    assert found == DaemonAddress("unix:///run/far.sock", "the docker context 'far'")
    assert found.path == Path("/run/far.sock")


def test_a_context_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = docker_address({"DOCKER_CONTEXT": "gone", "HOME": str(tmp_path)}, tmp_path)
    assert isinstance(found, str)
    assert "'gone'" in found


@pytest.mark.parametrize("environment", [{}, {"DOCKER_CONTEXT": "default"}])
def test_else_it_is_the_usual_socket(tmp_path: Path, environment: dict[str, str]) -> None:
    found = docker_address({"HOME": str(tmp_path)} | environment, tmp_path)
    assert found == DaemonAddress("unix:///var/run/docker.sock")


def test_podman_has_a_service_only_when_it_is_told_so() -> None:
    assert podman_address({}) is None
    named = podman_address({"CONTAINER_HOST": "unix:///run/podman.sock"})
    assert named == DaemonAddress("unix:///run/podman.sock", "CONTAINER_HOST")


def test_containerd_is_where_the_environment_says() -> None:
    assert containerd_address({}).origin == ""
    named = containerd_address({"CONTAINERD_ADDRESS": "/run/other.sock"})
    assert named == DaemonAddress("unix:///run/other.sock", "CONTAINERD_ADDRESS")


def test_what_is_reached_by_ssh_is_not_asked() -> None:
    assert contact(DaemonAddress("ssh://build"), 1).state == "unasked"
