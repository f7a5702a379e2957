"""Many hosts at once: which way each takes, who fails, and what the tags name in the end."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.failures import complaint
from bed.faults import Fault, FaultyRegistry, status
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host
from bed.pushes import Json, document, inspected
from bed.registry import Registry


def targets(hosts: Sequence[Host]) -> list[str]:
    return [part for each in hosts for part in ("--host", each.target)]


def uploads(registry: Registry, repository: str) -> list[str]:
    """Return the digest of every blob that was committed to a repository."""
    wanted = re.compile(rf"/v2/{repository}/blobs/uploads/.*digest=([^&]+)")
    found = (wanted.match(each.path) for each in registry.requests() if each.method == "PUT")
    return [each[1] for each in found if each]


@pytest.fixture
def three(admin: Admin, docker_host: Host, bare_host: Host, island: Host) -> tuple[Host, ...]:
    admin.knows(docker_host, bare_host, island)
    return docker_host, bare_host, island


@pytest.mark.parametrize(
    ("name", "way", "why"),
    [
        ("docker_host", "invoke", "it can"),
        ("bare_host", "copy", "cannot invoke: it has neither crane nor skopeo"),
        ("island", "relay", "cannot copy: it does not reach"),
        ("equipped_island", "relay", "cannot invoke: it does not reach"),
        (
            "skopeo_host",
            "copy",
            "cannot invoke: skopeo accepts a registry token only as an argument",
        ),
        ("podman_host", "copy", "cannot invoke: it has neither crane nor skopeo"),
    ],
)
def test_each_host_takes_the_first_way_that_it_can(
    request: pytest.FixtureRequest, admin: Admin, name: str, way: str, why: str
) -> None:
    host = request.getfixturevalue(name)
    admin.knows(host)
    target = f"auto/{name}:1".replace("_", "-")
    done = admin.run(target, "--host", host.target, "--source", SAMPLE, "--format", "json")
    assert done.code == 0, done.stderr
    (found,) = document(done.stdout)["hosts"]
    assert (found["way"], found["residue"]) == (way, [])
    assert why in found["why"]
    assert f"Transfer: {way} (" in done.stderr


def test_one_image_on_several_hosts_gets_its_tags_once(
    admin: Admin, old_docker: Docker, three: tuple[Host, ...]
) -> None:
    argv = ("--source", SAMPLE, "--tag", "1", "--tag", "stable")
    done = admin.run("fleet/same", *targets(three), *argv, "--parallel", "2")
    assert done.code == 0, done.stderr
    repository, _, digest = done.stdout.strip().partition("@")
    assert repository == f"{admin.registry.host}/fleet/same"
    for tag in ("1", "stable"):
        assert admin.pusher().digest(f"fleet/same:{tag}") == digest
    identity = inspected(old_docker.run("image", "inspect", SAMPLE))
    assert admin.pusher().as_it_is("fleet/same:1") == identity
    lines = [
        line.split(" pushed by ") for line in done.stderr.splitlines() if " pushed by " in line
    ]
    assert sorted(line[0] for line in lines) == sorted(each.address for each in three)
    assert "3 hosts: 3 pushed; " in done.stderr
    assert len(done.stderr.splitlines()) == 2 + len(three) + 1, done.stderr


def test_relayed_by_several_hosts_an_image_is_sent_once(
    admin: Admin, three: tuple[Host, ...]
) -> None:
    done = admin.run("fleet/relay:1", *targets(three), "--source", SAMPLE, "--via", "relay")
    assert done.code == 0, done.stderr
    sent = uploads(admin.registry, "fleet/relay")
    assert sent
    assert len(sent) == len(set(sent))


def test_a_second_push_saves_nothing_and_sends_nothing(
    admin: Admin, three: tuple[Host, ...]
) -> None:
    argv = ("fleet/again:1", *targets(three), "--source", SAMPLE)
    assert admin.run(*argv).code == 0
    before = len(admin.registry.requests())
    done = admin.run(*argv, "--format", "json")
    found = document(done.stdout)["hosts"]
    assert [(each["way"], each["unchanged"]) for each in found] == [("none", True)] * 3
    assert "aving" not in done.stderr
    assert {each.method for each in admin.registry.requests()[before:]} <= {"GET", "HEAD"}


@pytest.fixture
def two_images(admin: Admin, old_docker: Docker, three: tuple[Host, ...]) -> Admin:
    """A list of servers, of which the second one has another image."""
    old_docker.build(_context(admin), "other:1")
    servers: list[Json] = [
        {"host": each.address, "user": each.user, "imageName": name}
        for each, name in zip(three, (SAMPLE, "other:1", SAMPLE), strict=True)
    ]
    path = admin.program.project / "deploy-servers.json"
    path.write_text(json.dumps({"servers": servers}))
    return admin


def _context(admin: Admin) -> Path:
    folder = admin.folder / "context"
    folder.mkdir()
    (folder / "file").write_text("another image\n")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")
    return folder


def test_different_images_move_no_tag(two_images: Admin) -> None:
    done = two_images.run("fleet/differ:1", "--servers", "1-3")
    assert done.code == 5, done.stderr
    assert done.stdout == ""
    assert "The hosts have 2 different images for the same tag" in done.stderr
    assert "--allow-different" in done.stderr
    tags = [each for each in two_images.registry.requests() if "/fleet/differ/" in each.path]
    assert not [each for each in tags if each.method == "PUT" and each.path.endswith("/1")]


def test_the_last_image_wins_if_they_may_differ(two_images: Admin, old_docker: Docker) -> None:
    done = two_images.run("fleet/last:1", "--servers", "1,2", "--allow-different")
    assert done.code == 0, done.stderr
    identity = inspected(old_docker.run("image", "inspect", "other:1"))
    assert two_images.pusher().as_it_is("fleet/last:1") == identity


def test_only_the_chosen_servers_push(two_images: Admin, three: tuple[Host, ...]) -> None:
    done = two_images.run("fleet/chosen:1", "--servers", "1,3", "--format", "json")
    hosts = [each["host"] for each in document(done.stdout)["hosts"]]
    assert hosts == [three[0].address, three[2].address]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("numbers", ["4", "0", "1-9", "one", "", "2-1"])
def test_a_wrong_number_prints_the_list(
    two_images: Admin, three: tuple[Host, ...], numbers: str
) -> None:
    done = two_images.run("fleet/number:1", "--servers", numbers)
    assert done.code == 2
    for number, each in enumerate(three, 1):
        assert f"{number}  root@{each.address}:22" in done.stderr


def test_after_too_many_failures_nothing_is_begun_and_no_tag_moves(
    admin: Admin, docker_host: Host, bare_host: Host, island: Host
) -> None:
    admin.knows(docker_host, island)
    hosts = targets((bare_host, docker_host, island))
    argv = ("--source", SAMPLE, "--parallel", "1", "--format", "json")
    done = admin.run("fleet/fast:1", *hosts, *argv, "--fail-fast")
    found = document(done.stdout)["hosts"]
    assert [each["error"]["exitCode"] for each in found] == [4, 1, 1]
    assert "It was not started" in done.stderr
    assert done.code == 1
    done = admin.run("fleet/fast:1", *hosts, *argv, "--max-failures", "1")
    assert done.code == 8, done.stderr
    assert admin.pusher().digest("fleet/fast:1")


def test_all_failing_alike_is_their_common_error(
    admin: Admin, docker_host: Host, bare_host: Host
) -> None:
    done = admin.run("fleet/none:1", *targets((docker_host, bare_host)), "--source", SAMPLE)
    assert done.code == 4
    assert done.stderr.count("is not known") == 2
    assert "Error: None of the 2 hosts pushed." in done.stderr


def test_a_tag_that_must_not_move_is_a_conflict(two_images: Admin) -> None:
    assert two_images.run("fleet/kept:1", "--servers", "1").code == 0
    before = two_images.pusher().digest("fleet/kept:1")
    said = complaint(two_images.run("fleet/kept:1", "--servers", "2", "--immutable"), 5)
    assert "fleet/kept:1 exists" in said
    assert two_images.pusher().digest("fleet/kept:1") == before


def test_a_dry_run_only_looks(admin: Admin, three: tuple[Host, ...]) -> None:
    argv = (*targets(three), "--source", SAMPLE, "--dry-run", "--format", "json")
    before = len(admin.registry.requests())
    done = admin.run("fleet/dry:1", *argv)
    found = document(done.stdout)["hosts"]
    assert [each["way"] for each in found] == ["invoke", "copy", "relay"]
    assert {each["digest"] for each in found} == {None}
    assert {each.method for each in admin.registry.requests()[before:]} <= {"GET", "HEAD"}


def test_a_busy_registry_is_waited_for_by_every_host(
    admin: Admin, three: tuple[Host, ...], faulty_registry: FaultyRegistry
) -> None:
    faulty_registry.faults.append(Fault("POST", "/blobs/uploads/", status(429, retry_after=1), 2))
    argv = (*targets(three), "--source", SAMPLE, "--via", "relay")
    image = ("--image", f"{faulty_registry.host}/fleet/busy:1")
    done = admin.program.run("push", "--remote", *argv, *image)
    assert done.code == 0, done.stderr
    assert done.stderr.count(" pushed by relay") == len(three)


def test_every_host_has_its_row_at_a_terminal(
    admin: Admin, three: tuple[Host, ...], far_open_registry: Registry
) -> None:
    image = ("--image", f"{far_open_registry.host}/fleet/terminal:1", "--insecure")
    argv = (*targets(three), "--source", SAMPLE, "--via", "relay", *image)
    with admin.program.terminal("push", "--remote", *argv) as terminal:
        code, shown = terminal.finish()
    assert code == 0, shown
    for each in three:
        assert f"{each.address}: " in shown, "its row"
        assert f"root@{each.address}:22" in shown, "its line in the table"
    assert " of 3 hosts" in shown
    assert "3 hosts: 3 pushed; " in shown


def test_a_copied_engine_can_be_kept_and_is_used_again(admin: Admin, bare_host: Host) -> None:
    admin.knows(bare_host)
    argv = ("--host", bare_host.target, "--source", SAMPLE, "--via", "copy", "--keep-engine")
    first = admin.run("fleet/keep:1", *argv, "--audit")
    assert first.code == 0, first.stderr
    assert "no files left behind" in first.stderr, "what was to stay is no residue"
    (kept,) = bare_host.run("find /root/.cache/dockless -name crane").split()
    assert kept.startswith("/root/.cache/dockless/engines/")
    second = admin.run("fleet/keep:2", *argv, "--immutable")
    assert second.code == 0, second.stderr
    assert "sending crane" not in second.stderr
    bare_host.run("rm -rf /root/.cache")
