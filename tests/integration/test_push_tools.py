"""Images of container tools: what dockless pushed comes back as the image the tool has."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import pushes
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.fixtures import SAMPLE
from bed.podman import Account
from bed.pushes import Identity, Pusher
from bed.registry import Registry


def program_for(docker: Docker, folder: Path) -> Dockless:
    return dockless(folder / "dockless", DOCKER_HOST=docker.address)


def known_to(docker: Docker, name: str = SAMPLE) -> Identity:
    return pushes.inspected(docker.run("image", "inspect", name))


@pytest.fixture
def on_old_docker(old_docker: Docker, locked_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program_for(old_docker, tmp_path), locked_registry, tmp_path)


@pytest.fixture
def on_new_docker(new_docker: Docker, locked_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program_for(new_docker, tmp_path), locked_registry, tmp_path)


@pytest.mark.parametrize("source", [SAMPLE, f"docker-daemon:{SAMPLE}"])
def test_an_image_of_the_old_docker_daemon_arrives(
    on_old_docker: Pusher, old_docker: Docker, source: str
) -> None:
    digest = on_old_docker.push("tools/old:1", source)
    assert on_old_docker.arrived("tools/old:1") == (digest, known_to(old_docker))


@pytest.mark.parametrize("source", [SAMPLE, f"docker-daemon:{SAMPLE}"])
def test_an_image_of_the_new_docker_daemon_arrives(
    on_new_docker: Pusher, new_docker: Docker, source: str
) -> None:
    digest = on_new_docker.push("tools/new:1", source)
    assert on_new_docker.arrived("tools/new:1") == (digest, known_to(new_docker))


def test_an_image_is_found_by_its_id(on_old_docker: Pusher, old_docker: Docker) -> None:
    image_id = known_to(old_docker).config
    digest = on_old_docker.push("tools/id:1", image_id.removeprefix("sha256:")[:12])
    assert on_old_docker.arrived("tools/id:1") == (digest, known_to(old_docker))


def test_without_a_source_the_image_named_like_the_target_comes_first(
    on_old_docker: Pusher, old_docker: Docker
) -> None:
    old_docker.run("tag", SAMPLE, on_old_docker.reference("tools/target:1"))
    old_docker.run("tag", "dockless-base:1", "project:1")
    try:
        digest = on_old_docker.push("tools/target:1")
    finally:
        old_docker.run("rmi", "project:1")
    assert on_old_docker.arrived("tools/target:1") == (digest, known_to(old_docker))


def test_an_image_that_no_tool_has_is_an_error_that_lists_what_is_there(
    on_old_docker: Pusher, old_docker: Docker
) -> None:
    result = on_old_docker.run("tools/absent:1", "nobody/made:this")
    assert (result.code, result.stdout) == (3, "")
    assert "nobody/made:this" in result.stderr
    there = old_docker.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert any(f"docker has: {name}" in result.stderr for name in there)


@pytest.fixture
def saves(old_docker: Docker, tmp_path: Path) -> Path:
    """A folder with a `docker` that notes its arguments, and reaches the daemon all the same."""
    folder = tmp_path / "counting"
    folder.mkdir()
    script = folder / "docker"
    real = f'exec /usr/bin/docker --host {old_docker.address} "$@"'
    script.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nunset DOCKER_HOST\n{real}\n')
    script.chmod(0o755)
    return folder


def saved(folder: Path) -> int:
    calls = (folder / "calls").read_text().splitlines()
    return sum(call.startswith("save ") for call in calls)


def test_a_warm_push_does_not_call_docker_save(
    old_docker: Docker, locked_registry: Registry, saves: Path, tmp_path: Path
) -> None:
    path = f"{saves}:/usr/sbin:/usr/bin:/sbin:/bin"
    # a daemon elsewhere is docker's own business
    program = dockless(tmp_path / "dockless", DOCKER_HOST="ssh://elsewhere", PATH=path)
    pusher = Pusher(program, locked_registry, tmp_path)
    first = pusher.push("tools/warm:1", SAMPLE)
    assert saved(saves) == 1
    result = pusher.run("tools/warm:1", SAMPLE, "--format", "json")
    done = json.loads(result.stdout)["result"]
    assert (done["unchanged"], done["digest"], done["engine"]) == (True, first, None)
    assert pusher.push("tools/warm-elsewhere:1", SAMPLE) == first
    assert saved(saves) == 1
    assert pusher.arrived("tools/warm-elsewhere:1") == (first, known_to(old_docker))


@pytest.fixture(scope="module")
def trusted(rootless: Account, locked_registry: Registry) -> tuple[str, ...]:
    """The options that make a push as the account reach the locked registry."""
    options, _ = pushes.access(locked_registry)
    authority = rootless.give(locked_registry.ca_file)
    return tuple(str(authority if each == locked_registry.ca_file else each) for each in options)


@pytest.fixture
def looking(program: Dockless, locked_registry: Registry, tmp_path: Path) -> Pusher:
    """Looks at what the account pushed; it pushes nothing itself."""
    return Pusher(program, locked_registry, tmp_path)


def known_to_podman(rootless: Account) -> Identity:
    return pushes.inspected(rootless.run("podman", "image", "inspect", SAMPLE))


def push_as(
    rootless: Account, pusher: Pusher, name: str, *arguments: str, before: tuple[str, ...] = ()
) -> str:
    """Push as the account; return the digest in stdout, which holds nothing else."""
    _, password = pushes.access(pusher.registry)
    target = pusher.reference(name)
    argv = (*before, "dockless", "push", *arguments, "--image", target)
    stdout = rootless.run(*argv, stdin=password)
    repository, _, digest = stdout.partition("@")
    assert repository == target.rpartition(":")[0]
    return digest


@pytest.mark.parametrize("source", [SAMPLE, f"localhost/{SAMPLE}", f"containers-storage:{SAMPLE}"])
def test_an_image_of_rootless_podman_arrives(
    rootless: Account, looking: Pusher, trusted: tuple[str, ...], source: str
) -> None:
    digest = push_as(rootless, looking, "tools/podman:1", source, *trusted)
    assert looking.arrived("tools/podman:1") == (digest, known_to_podman(rootless))


@pytest.fixture
def only_buildah(rootless: Account) -> Iterator[tuple[str, ...]]:
    """What starts a program of the account with buildah on its PATH, and no podman or docker."""
    folder = rootless.home / "only-buildah"
    rootless.run("mkdir", folder)
    for name in ("buildah", "newuidmap", "newgidmap"):
        rootless.run("ln", "-s", f"/usr/bin/{name}", folder / name)
    yield ("env", f"PATH={rootless.home}/bin:{folder}")
    rootless.run("rm", "-r", folder)


def test_an_image_of_buildah_arrives(
    rootless: Account, looking: Pusher, trusted: tuple[str, ...], only_buildah: tuple[str, ...]
) -> None:
    digest = push_as(rootless, looking, "tools/buildah:1", SAMPLE, *trusted, before=only_buildah)
    assert looking.arrived("tools/buildah:1") == (digest, known_to_podman(rootless))
