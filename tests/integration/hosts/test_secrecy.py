"""The password on its way to hosts: it is nowhere, and with tokens it does not even go there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.fixtures import SAMPLE
from bed.fleet import Admin, Key
from bed.hosts import Host, Network, Traits, host
from bed.registry import Login, Registry
from bed.secrecy import forms, watching
from bed.tokens import TokenService

_RECORD = """\
#!/bin/bash
# Everything that goes over a channel, both ways, is written down.
d=$(mktemp -d /run/host/recorded.XXXXXX)
exec < <(tee "$d/in") > >(tee "$d/out") 2> >(tee "$d/err" >&2)
[ "$SSH_ORIGINAL_COMMAND" = internal-sftp ] && exec /usr/lib/openssh/sftp-server
exec bash -c "$SSH_ORIGINAL_COMMAND"
"""


def places(admin: Admin, *hosts: Host) -> list[Path]:
    """Return every folder in which something may be written."""
    inside = [
        Path(f"/proc/{each.pid}/root", folder)
        for each in hosts
        for folder in ("tmp", "var/tmp", "run", "root", f"home/{each.user}")
    ]
    return [path for path in (admin.folder, *inside) if path.exists()]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("kind", ["tokens", "password"])
@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("docker_host", "invoke"),
        ("bare_host", "copy"),
        ("podman_host", "copy"),
        ("island", "relay"),
        ("equipped_island", "tunnel"),
        ("skopeo_host", "invoke"),
    ],
)
def test_no_process_and_no_file_of_a_host_ever_has_the_password(
    request: pytest.FixtureRequest,
    admin: Admin,
    far_locked_registry: Registry,
    login: Login,
    name: str,
    way: str,
    kind: str,
) -> None:
    if (name, kind) == ("skopeo_host", "tokens"):
        way = "relay"  # skopeo is not given a token, which it takes as an argument only
    made = request.getfixturevalue(name)
    registry = admin.registry if kind == "tokens" else far_locked_registry
    pushing = Admin(admin.program, registry, admin.folder)
    pushing.knows(made)
    target = f"secret/{name}-{kind}:1".replace("_", "-")
    with watching(login, *places(pushing, made)) as watch:
        done = pushing.run(target, "--host", made.target, "--source", SAMPLE, "--via", way)
    assert done.code == 0, done.stderr
    assert watch.found == set()
    assert {"dockless", "sshd"} <= watch.processes
    said = (done.stdout + done.stderr).encode()
    assert not [form for form in forms(login) if form in said]


def test_a_failing_push_tells_nothing_either(admin: Admin, docker_host: Host, login: Login) -> None:
    admin.knows(docker_host)
    argv = ("--host", docker_host.target, "--source", SAMPLE, "--via", "invoke")
    with watching(login, *places(admin, docker_host)) as watch:
        done = admin.run("secret/failing:1", *argv, "--engine", "skopeo", "--format", "json")
    assert done.code == 7
    assert watch.found == set()
    said = (done.stdout + done.stderr).encode()
    assert not [form for form in forms(login) if form in said]


@pytest.fixture
def recording_host(
    host_folder: Path,
    bridge: Network,
    key: Key,
    numbers: Iterator[int],
    old_docker: Docker,
    crane_folder: Path,
) -> Iterator[Host]:
    traits = Traits(
        docker=old_docker.socket, programs=crane_folder, sshd="ForceCommand /run/host/record"
    )
    with host(host_folder / "recording", bridge, next(numbers), traits, key.public) as made:
        made.write("/run/host/record", _RECORD.encode())
        made.run("chmod 755 /run/host/record")
        yield made


def test_with_tokens_the_password_is_in_no_stream(
    admin: Admin, recording_host: Host, login: Login, far_tokens: TokenService
) -> None:
    admin.knows(recording_host)
    asked = len(far_tokens.asked)
    argv = ("--host", recording_host.target, "--source", SAMPLE, "--via", "invoke")
    done = admin.run("secret/streams:1", *argv)
    assert done.code == 0, done.stderr
    folder = Path(f"/proc/{recording_host.pid}/root/run/host")
    recorded = b"".join(path.read_bytes() for path in folder.rglob("recorded.*/*"))
    assert b"registrytoken" in recorded, "what was recorded has the credential"
    assert not [form for form in forms(login) if form in recorded]
    scopes = {each.scope for each in far_tokens.asked[asked:]}
    assert scopes == {"repository:secret/streams:pull,push"}
