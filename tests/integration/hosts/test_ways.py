"""Every way to push from a host, on hosts of every kind."""

import pytest

from bed.docker import Docker
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.podman import Account
from bed.pushes import inspected

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
