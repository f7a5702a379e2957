"""Hosts that are odd, poor or hostile: a clear result for each, and nothing run by a shell."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.failures import complaint
from bed.fixtures import SAMPLE
from bed.fleet import Admin, Key
from bed.hosts import Host, Network, Traits, host
from bed.odd import KINDS, Odd, odd
from bed.podman import Account
from bed.pushes import archive_identity, document

# a guardian takes a moment to see that a connection has gone
GONE = (
    "for i in 1 2 3 4 5 6 7 8; do ls -d /tmp/dockless.* >/dev/null 2>&1 || break; sleep 1; done; "
    "ls -d /tmp/dockless.* 2>/dev/null || true"
)
WEIRD = """/var/tmp/it's "my" $(touch pwned) `touch pwned`; touch pwned #\\!%s.tar"""  # noqa: S108


@pytest.fixture(params=KINDS)
def account(request: pytest.FixtureRequest) -> Iterator[Odd]:
    with odd(request.param) as made:
        yield made


@pytest.fixture
def odd_host(
    host_folder: Path, bridge: Network, key: Key, numbers: Iterator[int], account: Odd
) -> Iterator[Host]:
    traits = Traits(account.name, hidden=("docker", "podman", "crane", "skopeo"))
    with host(host_folder / account.name, bridge, next(numbers), traits, key.public) as made:
        yield made


@pytest.mark.sampled(5)
@pytest.mark.parametrize("way", ["copy", "relay"])
def test_any_shell_and_any_name_will_do(
    admin: Admin, odd_host: Host, old_archive: Path, way: str
) -> None:
    admin.knows(odd_host)
    odd_host.write(WEIRD, old_archive.read_bytes())
    target = f"odd/{odd_host.user.partition('-')[0]}-{way}:1"
    done = admin.run(target, "--host", odd_host.target, "--source", WEIRD, "--via", way, "--audit")
    assert done.code == 0, done.stderr
    assert f"{odd_host.address}: no files left behind." in done.stderr
    assert admin.pusher().as_it_is(target) == archive_identity(old_archive)
    places = f"/ /tmp /var/tmp {Path('/home', odd_host.user)}"
    assert odd_host.run(f"find {places} -maxdepth 1 -name pwned") == ""


def test_an_image_with_a_hostile_name_is_none(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    name = "x; touch pwned"
    said = complaint(admin.run("bad/name:1", "--host", docker_host.target, "--source", name), 2)
    assert f"SOURCE {name!r} is neither a file nor an image name" in said
    assert docker_host.run("find / /root /tmp -maxdepth 1 -name pwned") == ""


def test_a_host_without_the_image_lists_what_it_has(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    done = admin.run("bad/absent:1", "--host", docker_host.target, "--source", "absent:1")
    said = complaint(done, 3)
    assert "The host has no image absent:1" in said
    assert "docker has: " in said
    assert SAMPLE in said


def test_a_file_that_is_not_there_is_said_to_be_missing(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    source = ("--source", "/nowhere/image.tar")
    said = complaint(admin.run("bad/file:1", "--host", docker_host.target, *source), 3)
    assert "There is no file /nowhere/image.tar on the host." in said


def test_a_docker_that_the_user_may_not_use_gets_one_hint(
    admin: Admin,
    host_folder: Path,
    bridge: Network,
    key: Key,
    numbers: Iterator[int],
    rootless: Account,
    old_docker: Docker,
) -> None:
    traits = Traits(rootless.name, docker=old_docker.socket, hidden=("podman", "buildah"))
    with host(host_folder / "group", bridge, next(numbers), traits, key.public) as made:
        admin.knows(made)
        said = complaint(admin.run("bad/group:1", "--host", made.target, "--source", SAMPLE), 3)
    assert "this account has no permission to use docker" in said
    assert said.count("Add it to the group `docker`, or use a rootless one.") == 1
    assert "use --sudo" in said


@pytest.fixture
def small_host(
    host_folder: Path,
    bridge: Network,
    key: Key,
    numbers: Iterator[int],
    old_docker: Docker,
    crane_folder: Path,
) -> Iterator[Host]:
    traits = Traits(docker=old_docker.socket, programs=crane_folder, size=1 << 20)
    with host(host_folder / "small", bridge, next(numbers), traits, key.public) as made:
        yield made


@pytest.mark.parametrize("way", ["invoke", "tunnel"])
def test_an_image_that_does_not_fit_is_told_before_it_is_saved(
    admin: Admin, small_host: Host, way: str
) -> None:
    admin.knows(small_host)
    argv = ("--host", small_host.target, "--source", SAMPLE)
    said = complaint(admin.run("bad/full:1", *argv, "--via", way), 7)
    assert re.search(r"tmp has 1 MB free there, and the image needs up to \d+ MB", said)
    assert small_host.run("ls /tmp /var/tmp | grep -v :; true").strip() == ""


def test_a_small_disk_is_no_obstacle_to_relay(admin: Admin, small_host: Host) -> None:
    admin.knows(small_host)
    done = admin.run("bad/full:2", "--host", small_host.target, "--source", SAMPLE)
    assert done.code == 0, done.stderr
    assert "Transfer: relay (cannot invoke: /tmp has" in done.stderr


@pytest.mark.parametrize(
    "mounts",
    [
        "mount -t tmpfs -o size=500m tmpfs /var/tmp",
        "mount -t tmpfs -o noexec,size=800m tmpfs /tmp; mount -t tmpfs tmpfs /var/tmp",
        "mount -t tmpfs -o size=4k tmpfs /tmp; mount -t tmpfs -o size=300m tmpfs /var/tmp",
    ],
)
def test_the_folder_with_most_space_is_used(admin: Admin, small_host: Host, mounts: str) -> None:
    admin.knows(small_host)
    small_host.run(mounts)
    try:
        done = admin.run(
            "bad/roomy:1", "--host", small_host.target, "--source", SAMPLE, "--via", "invoke"
        )
    finally:
        small_host.run("; ".join(f"umount {each.split()[-1]}" for each in mounts.split(";")))
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("way", ["auto", "relay"])
def test_a_host_on_which_nothing_can_be_written_relays(
    admin: Admin, small_host: Host, way: str
) -> None:
    admin.knows(small_host)
    folders = ("/tmp", "/var/tmp", "/root")  # noqa: S108 - the host's own
    small_host.run(" && ".join(f"mount -t tmpfs -o ro tmpfs {folder}" for folder in folders))
    try:
        argv = ("--host", small_host.target, "--source", SAMPLE, "--via", way)
        done = admin.run("bad/read-only:1", *argv)
        refused = admin.run("bad/read-only:2", *argv[:-1], "invoke")
    finally:
        small_host.run(" && ".join(f"umount {folder}" for folder in folders))
    assert done.code == 0, done.stderr
    assert "no folder there can be written to" in complaint(refused, 7)


def test_an_engine_that_did_not_arrive_whole_is_never_run(
    admin: Admin,
    host_folder: Path,
    bridge: Network,
    key: Key,
    numbers: Iterator[int],
    old_docker: Docker,
) -> None:
    programs = host_folder / "other-sums"
    programs.mkdir()
    (programs / "sha256sum").write_text("#!/bin/sh\necho 0000  $1\n")
    (programs / "sha256sum").chmod(0o755)
    traits = Traits(docker=old_docker.socket, programs=programs, hidden=("sha256sum", "skopeo"))
    with host(host_folder / "sums", bridge, next(numbers), traits, key.public) as made:
        admin.knows(made)
        argv = ("--host", made.target, "--source", SAMPLE)
        said = complaint(admin.run("bad/sums:1", *argv, "--via", "copy"), 7)
        assert "crane did not arrive at" in said
        done = admin.run("bad/sums:1", *argv)
    assert done.code == 0, done.stderr
    assert "Transfer: relay (cannot invoke:" in done.stderr


def test_what_is_left_on_a_host_is_found(
    admin: Admin,
    host_folder: Path,
    bridge: Network,
    key: Key,
    numbers: Iterator[int],
    old_docker: Docker,
) -> None:
    traits = Traits(docker=old_docker.socket, sshd="ForceCommand /run/host/messy")
    with host(host_folder / "messy", bridge, next(numbers), traits, key.public) as made:
        script = "mkdir -p /root/.docker; echo x >>/root/.docker/config.json"
        script += "; touch /tmp/container_images_mess.$$ /tmp/of-others.$$"
        made.write(
            "/run/host/messy",
            f'#!/bin/sh\n{script}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n'.encode(),
        )
        made.run("chmod 755 /run/host/messy")
        admin.knows(made)
        done = admin.run("bad/mess:1", "--host", made.target, "--source", SAMPLE, "--via", "relay")
    assert done.code == 0, done.stderr
    left = [line for line in done.stderr.splitlines() if "left behind" in line]
    assert any("/container_images_mess." in line for line in left)
    assert any("/root/.docker/config.json" in line for line in left)
    assert not any("of-others" in line for line in left), "another program may have made it"


def test_a_host_that_hangs_is_given_up(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    never = "/var/tmp/never.tar"  # noqa: S108 - the host's own
    docker_host.run(f"mkfifo {never}")
    argv = ("--host", docker_host.target, "--source", never, "--via", "relay")
    done = admin.run("bad/hang:1", *argv, "--stall-timeout", "2s", "--retries", "0")
    docker_host.run(f"rm {never}")
    assert "was lost: no byte was received for 2 seconds." in complaint(done, 6)
    assert docker_host.run(GONE) == ""


def test_a_push_is_done_in_the_time_that_it_is_given(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    never = "/var/tmp/never.tar"  # noqa: S108 - the host's own
    docker_host.run(f"mkfifo {never}")
    argv = ("--host", docker_host.target, "--source", never, "--via", "relay")
    done = admin.run("bad/late:1", *argv, "--timeout", "2s")
    docker_host.run(f"rm {never}")
    assert "did not finish within --timeout" in complaint(done, 6)
    assert docker_host.run(GONE) == ""


def test_one_bad_host_does_not_keep_the_others(
    admin: Admin, docker_host: Host, bare_host: Host, island: Host
) -> None:
    admin.knows(docker_host, island)
    hosts = [part for each in (docker_host, bare_host, island) for part in ("--host", each.target)]
    done = admin.run("bad/one:1", *hosts, "--source", SAMPLE, "--format", "json")
    assert done.code == 8, done.stderr
    assert f"{bare_host.address}: Error: The host key of {bare_host.address} is not" in done.stderr
    good, bad, other = document(done.stdout)["hosts"]
    assert (good["error"], other["error"]) == (None, None)
    assert (bad["error"]["exitCode"], bad["digest"]) == (4, None)
    assert admin.pusher().digest("bad/one:1") in (good["digest"], other["digest"])
