"""Every way to push from a host, on hosts of every kind."""

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from bed.docker import Docker
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host
from bed.podman import Account
from bed.pushes import Pusher, access, inspected
from bed.registry import Registry

WAYS = [
    *(("docker_host", way) for way in ("invoke", "copy", "relay", "tunnel")),
    *(("bare_host", way) for way in ("copy", "relay", "tunnel")),
    *(("island", way) for way in ("relay", "tunnel")),
    *(("equipped_island", way) for way in ("relay", "tunnel")),
    *(("podman_host", way) for way in ("copy", "relay", "tunnel")),
    *(("noexec_host", way) for way in ("copy", "relay", "tunnel")),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "way"), WAYS)
def test_the_same_image_arrives_and_nothing_is_left(
    request: pytest.FixtureRequest,
    admin: Admin,
    old_docker: Docker,
    rootless: Account,
    name: str,
    way: str,
) -> None:
    host = request.getfixturevalue(name)
    admin.knows(host)
    target = f"ways/{name}-{way}:1".replace("_", "-")
    done = admin.run(target, "--host", host.target, "--source", SAMPLE, "--via", way, "--audit")
    assert done.code == 0, done.stderr
    assert f"{host.address}: no files left behind." in done.stderr
    digest = admin.pusher().digest_in(done, target)
    tool = old_docker.run if host.user == "root" else lambda *argv: rootless.run("podman", *argv)
    assert admin.pusher().digest(target) == digest
    assert admin.pusher().as_it_is(target) == inspected(tool("image", "inspect", SAMPLE))


@pytest.mark.parametrize("name", ["docker_host", "bare_host", "island"])
@pytest.mark.parametrize("taken", [False, True])
def test_a_registry_of_this_machine_is_reached_though_a_host_uses_its_port(
    request: pytest.FixtureRequest,
    admin: Admin,
    locked_registry: Registry,
    name: str,
    *,
    taken: bool,
) -> None:
    host = request.getfixturevalue(name)
    admin.knows(host)
    port = locked_registry.host.partition(":")[2]
    image = f"{locked_registry.host}/ways/taken-{name}-{taken}:1".lower().replace("_", "-")
    options, password = access(locked_registry)
    argv = ("--source", SAMPLE, "--via", "tunnel", "--audit", "--image", image, *options)
    with listening(host, port) if taken else contextlib.nullcontext():
        done = admin.program.run("push", "--remote", "--host", host.target, *argv, stdin=password)
    assert done.code == 0, done.stderr
    assert f"{host.address}: no files left behind." in done.stderr
    pusher = Pusher(admin.program, locked_registry, admin.folder)
    target = image.partition("/")[2]
    assert pusher.digest(target) == pusher.digest_in(done, target)


@contextlib.contextmanager
def listening(host: Host, port: str) -> Iterator[None]:
    """Have something else of a host listen on a port of its loopback."""
    server = f"python3 -m http.server --bind 127.0.0.1 {port}"
    pid = int(host.run(f"(cd /run && exec {server}) >/dev/null 2>&1 & echo $!"))
    try:
        host.run(f"until ss -ltn | grep -q 127.0.0.1:{port}; do sleep 0.1; done")
        yield
    finally:
        os.kill(pid, signal.SIGTERM)
