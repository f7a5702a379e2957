"""Connections cut at random moments: no incomplete image, no residue; the next push succeeds."""

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.failures import until
from bed.fleet import Admin
from bed.hosts import Host
from bed.pushes import access, inspected

_WAYS = ("invoke", "relay", "copy", "tunnel")
_GONE_SECONDS = 120
_OURS = "ls -d /tmp/dockless.* /var/tmp/dockless.* /root/dockless.* 2>/dev/null || true"


@pytest.fixture(scope="module")
def image(old_docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image that takes a while: some 60 MB of real files."""
    tree = tmp_path_factory.mktemp("tree") / "tree.tar"
    subprocess.run(("tar", "-C", "/usr/bin", "-cf", tree, "--exclude=docker*", "."), check=True)
    with tree.open("r+b") as file:
        file.truncate(60_000_256)
    old_docker.run("import", _whole(tree), "cut:1")
    return "cut:1"


def _whole(tree: Path) -> Path:
    """Return a tar that ends after its last whole member."""
    folder = tree.with_suffix("")
    folder.mkdir()
    subprocess.run(("tar", "-C", folder, "-xf", tree), check=False, capture_output=True)
    subprocess.run(("tar", "-C", folder, "-cf", tree, "."), check=True)
    return tree


@pytest.mark.timeout(900)
@pytest.mark.sampled(5)
@pytest.mark.parametrize(("seed", "moments"), [(21, 4), (20, 12)])
def test_a_connection_that_is_cut_spoils_nothing(
    admin: Admin, docker_host: Host, old_docker: Docker, image: str, seed: int, moments: int
) -> None:
    admin.knows(docker_host)
    identity = inspected(old_docker.run("image", "inspect", image))
    chance = random.Random(seed)  # noqa: S311 - the same moments every time
    cut = 0
    for number in range(moments):
        way = _WAYS[number % len(_WAYS)]
        name = f"cut/{way}-{seed}-{number}:1"
        once = ("--host", docker_host.target, "--source", image, "--via", way, "--retries", "0")
        cut += _push_and_cut(admin, docker_host, name, once, chance.uniform(0.0, 1.0))
        _assert_gone(docker_host)
        tags = admin.pusher()
        if _exists(admin, name):
            assert tags.as_it_is(name) == identity
    assert cut >= moments // 2, "most pushes were under way when they were cut"
    for way in _WAYS:
        argv = ("--host", docker_host.target, "--source", image, "--via", way, "--audit")
        done = admin.run(f"cut/{way}-{seed}-after:1", *argv)
        assert done.code == 0, done.stderr
        assert "no files left behind" in done.stderr
        assert admin.pusher().as_it_is(f"cut/{way}-{seed}-after:1") == identity


@contextlib.contextmanager
def _pushing(admin: Admin, name: str, argv: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a push from hosts, with its password on stdin."""
    options, password = access(admin.registry)
    image = ("--image", f"{admin.registry.host}/{name}")
    program = admin.program
    with subprocess.Popen(
        (program.path, "push", "--remote", *argv, *image, *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.environment(),
        cwd=program.project,
    ) as child:
        if child.stdin:
            child.stdin.write(password)
            child.stdin.close()
            child.stdin = None
        yield child


def _push_and_cut(
    admin: Admin, host: Host, name: str, argv: tuple[str, ...], seconds: float
) -> bool:
    """Push, and cut the connection so long after it was made; return whether the push failed."""
    with _pushing(admin, name, argv) as child:
        until(lambda: host.connections() or child.poll() is not None)
        time.sleep(seconds)
        host.cut()
        _, said = child.communicate(timeout=120)
    assert child.returncode in (0, 6), said.decode()
    assert b"Traceback" not in said
    return child.returncode == 6


def _assert_gone(host: Host) -> None:
    deadline = time.monotonic() + _GONE_SECONDS
    while (left := host.run(_OURS)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == ""


def _exists(admin: Admin, name: str) -> bool:
    side = [option.removeprefix("--src-") for option in admin.registry.skopeo_options("src")]
    options = [f"--{each}" for each in side]
    argv = ("skopeo", "inspect", "--raw", *options, f"docker://{admin.registry.host}/{name}")
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_a_connection_that_is_cut_once_is_made_again(
    admin: Admin, docker_host: Host, old_docker: Docker, image: str
) -> None:
    admin.knows(docker_host)
    argv = ("--host", docker_host.target, "--source", image, "--via", "relay")
    assert not _push_and_cut(admin, docker_host, "cut/again:1", argv, 0.8)
    identity = inspected(old_docker.run("image", "inspect", image))
    assert admin.pusher().as_it_is("cut/again:1") == identity


@pytest.mark.parametrize("way", ["invoke", "relay"])
def test_an_interrupt_ends_it_everywhere(
    admin: Admin, docker_host: Host, image: str, way: str
) -> None:
    admin.knows(docker_host)
    argv = ("--host", docker_host.target, "--source", image, "--via", way)
    with _pushing(admin, "cut/interrupt:1", argv) as child:
        time.sleep(1.0)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=120)
    assert child.returncode == 130, said.decode()
    assert b"Traceback" not in said
    _assert_gone(docker_host)
    assert not _exists(admin, "cut/interrupt:1")
