"""What a host pushes: archives, layouts, images by name, and what it builds first."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import fleet, images
from bed.docker import Docker
from bed.failures import complaint, tags
from bed.fixtures import SAMPLE
from bed.fleet import Admin, Key
from bed.hosts import Host, Network, Traits, host
from bed.podman import Account
from bed.pushes import archive_identity, inspected, layout_identity
from bed.registry import Registry

FOLDER = "/var/tmp/source"  # noqa: S108 - the hosts' own


def put_tree(host: Host, tree: Path) -> str:
    """Put a folder on a host."""
    packed = tree.parent / f"{tree.name}-packed.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(tree, ".")
    host.write("/var/tmp/tree.tar", packed.read_bytes())  # noqa: S108 - the host's own
    host.run(f"rm -rf {FOLDER} && mkdir {FOLDER} && tar -C {FOLDER} -xf /var/tmp/tree.tar")
    return FOLDER


@pytest.mark.sampled(7)
@pytest.mark.parametrize("way", ["invoke", "relay"])
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_an_archive_on_the_host(
    admin: Admin, docker_host: Host, old_archive: Path, way: str, packing: str
) -> None:
    admin.knows(docker_host)
    archive = old_archive
    if packing != "plain":
        archive = images.compressed(old_archive, packing)  # type: ignore[arg-type] # one of them
    path = f"/var/tmp/image.tar.{packing}"  # noqa: S108 - the host's own
    docker_host.write(path, archive.read_bytes())
    name = f"sources/archive-{packing}-{way}:1"
    done = admin.run(name, "--host", docker_host.target, "--source", path, "--via", way)
    assert done.code == 0, done.stderr
    assert admin.pusher().as_it_is(name) == archive_identity(old_archive)


@pytest.mark.parametrize("way", ["invoke", "relay"])
def test_a_layout_on_the_host_keeps_its_digest(
    admin: Admin, docker_host: Host, oci_layout: Path, way: str
) -> None:
    admin.knows(docker_host)
    path = put_tree(docker_host, oci_layout)
    name = f"sources/layout-{way}:1"
    done = admin.run(name, "--host", docker_host.target, "--source", path, "--via", way)
    assert done.code == 0, done.stderr
    digest = images.digest(admin.pusher().manifest(name))
    assert digest in (oci_layout / "index.json").read_text()
    assert admin.pusher().back(name) == layout_identity(oci_layout)


@pytest.mark.parametrize("way", ["invoke", "relay"])
def test_an_index_on_the_host_stays_whole(
    admin: Admin, docker_host: Host, multi_platform: Path, way: str
) -> None:
    admin.knows(docker_host)
    path = put_tree(docker_host, multi_platform)
    name = f"sources/index-{way}:1"
    done = admin.run(name, "--host", docker_host.target, "--source", path, "--via", way)
    assert done.code == 0, done.stderr
    assert (
        images.digest(admin.pusher().manifest(name)) in (multi_platform / "index.json").read_text()
    )


def test_skopeo_on_the_host_will_do_where_there_are_no_tokens(
    admin: Admin, skopeo_host: Host, new_docker: Docker, far_open_registry: Registry
) -> None:
    admin.knows(skopeo_host)
    open_to_all = Admin(admin.program, far_open_registry, admin.folder)
    argv = ("--host", skopeo_host.target, "--source", SAMPLE, "--insecure", "--audit")
    done = open_to_all.run("sources/skopeo:1", *argv)
    assert done.code == 0, done.stderr
    assert "Transfer: invoke (it can)" in done.stderr
    assert "no files left behind" in done.stderr
    identity = inspected(new_docker.run("image", "inspect", SAMPLE))
    assert open_to_all.pusher().as_it_is("sources/skopeo:1") == identity


def test_one_of_several_images_comes_through_here(
    admin: Admin, docker_host: Host, old_archive: Path
) -> None:
    admin.knows(docker_host)
    docker_host.write("/var/tmp/some.tar", old_archive.read_bytes())  # noqa: S108 - the host's
    source = f"/var/tmp/some.tar:{SAMPLE}"  # noqa: S108 - the host's own
    done = admin.run("sources/one:1", "--host", docker_host.target, "--source", source)
    assert done.code == 0, done.stderr
    assert (
        "Transfer: relay (cannot invoke: an image of several is selected on this machine"
        in done.stderr
    )


def test_what_only_this_machine_can_do_is_refused_by_other_ways(
    admin: Admin, docker_host: Host
) -> None:
    admin.knows(docker_host)
    argv = ("--host", docker_host.target, "--source", SAMPLE, "--compression", "zstd")
    said = complaint(admin.run("sources/zstd:1", *argv, "--via", "invoke"), 7)
    assert "--compression zstd is only done on this machine" in said
    done = admin.run("sources/zstd:1", *argv)
    assert done.code == 0, done.stderr
    assert b"zstd" in admin.pusher().manifest("sources/zstd:1")


def test_the_image_that_naming_finds_is_looked_for_there(
    admin: Admin, docker_host: Host, old_docker: Docker
) -> None:
    admin.knows(docker_host)
    project = admin.program.project.name
    old_docker.run("tag", SAMPLE, f"{project}:latest")
    done = admin.run(f"sources/{project}:latest", "--host", docker_host.target)
    assert done.code == 0, done.stderr
    assert f"Source: docker image {project}:latest" in done.stderr


def test_an_image_is_built_on_the_host_first(
    admin: Admin, docker_host: Host, old_docker: Docker, tmp_path: Path
) -> None:
    admin.knows(docker_host)
    context = tmp_path / "shop"
    context.mkdir()
    (context / "file").write_text("built there\n")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")
    put_tree(docker_host, context)
    servers = f'{{"servers": [{{"host": "{docker_host.address}", "user": "root", '
    (admin.program.project / "deploy-servers.json").write_text(
        f'{servers}"remoteDir": "{FOLDER}"}}]}}'
    )
    done = admin.run("sources/built:1", "--build")
    assert done.code == 0, done.stderr
    assert "Building project:1 with docker" in done.stderr
    assert "Successfully tagged project:1" in done.stderr
    identity = inspected(old_docker.run("image", "inspect", "project:1"))
    assert admin.pusher().as_it_is("sources/built:1") == identity


def test_a_build_that_fails_is_an_error_of_its_own(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    said = complaint(admin.run("sources/none:1", "--host", docker_host.target, "--build"), 2)
    assert "There is nothing to build from: no /root/project/Dockerfile" in said


WRONG = "sha256:" + "1" * 64
NAMES = [f"docker.io/a/bad@{WRONG}", f"ghcr.io/a/bad:t@{WRONG}", f"bad@sha512:{'2' * 128}"]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("way", ["invoke", "copy", "relay", "tunnel"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["layout", "archive"])
def test_an_image_on_the_host_whose_name_pins_another_digest_is_refused(
    admin: Admin,
    docker_host: Host,
    layers: tuple[images.Layer, ...],
    old_archive: Path,
    tmp_path: Path,
    way: str,
    name: str,
    form: str,
) -> None:
    admin.knows(docker_host)
    if form == "layout":
        layout = images.Layout(tmp_path / "lay")
        top = layout.image(layers[:2], "amd64", annotations={})
        layout.top({**top, "annotations": {"org.opencontainers.image.ref.name": name}})
        path = put_tree(docker_host, layout.folder)
    else:
        tree = tmp_path / "tree"
        tree.mkdir()
        subprocess.run(("tar", "-C", tree, "-xf", old_archive), check=True)
        listed = json.loads((tree / "manifest.json").read_text())
        listed[0]["RepoTags"] = [name]
        (tree / "manifest.json").write_text(json.dumps(listed))
        path = "/var/tmp/pinned.tar"  # noqa: S108 - the host's own
        packed = images.archive(tree, tmp_path / "pinned.tar")
        docker_host.write(path, packed.read_bytes())
    target = f"sources/pinned-{way}-{form}-{tmp_path.name.lower()}"
    source = ("--host", docker_host.target, "--source", path, "--via", way)
    done = admin.run(f"{target}:1", *source)
    assert done.code == 3, done.stderr
    assert f"{path} has an image named {name} whose digest is sha256:" in done.stderr
    assert tags(admin.registry, target) == set()


@pytest.mark.sampled(5)
@pytest.mark.parametrize("way", ["invoke", "copy", "relay", "tunnel"])
@pytest.mark.parametrize("form", ["{0}@{1}", "{0}:1@{1}", "docker-daemon:{0}:other@{1}"])
def test_a_digest_that_a_docker_there_cannot_give_back_is_a_failure(
    admin: Admin,
    docker_host: Host,
    old_docker: Docker,
    registry: Registry,
    tmp_path: Path,
    way: str,
    form: str,
) -> None:
    admin.knows(docker_host)
    name = f"{registry.host}/there"
    old_docker.run("tag", SAMPLE, f"{name}:1")
    old_docker.run("push", f"{name}:1")
    known = json.loads(old_docker.run("image", "inspect", f"{name}:1"))[0]["RepoDigests"]
    digest = next(each.partition("@")[2] for each in known if each.startswith(f"{name}@"))
    target = f"sources/tool-{way}-{tmp_path.name.lower()}"
    source = form.format(name, digest)
    done = admin.run(f"{target}:1", "--host", docker_host.target, "--source", source, "--via", way)
    assert done.code == 3, done.stderr
    assert f"has an image named {source.removeprefix('docker-daemon:')} whose" in done.stderr
    assert tags(admin.registry, target) == set()


@pytest.fixture
def silent_host(
    tmp_path_factory: pytest.TempPathFactory,
    host_folder: Path,
    bridge: Network,
    key: Key,
    rootless: Account,
    numbers: Iterator[int],
) -> Iterator[Host]:
    """A host with rootless podman, and a client of docker whose daemon does not run."""
    traits = Traits(rootless.name, hidden=("skopeo", "crane", "buildah", "nerdctl"))
    folder = host_folder / tmp_path_factory.mktemp("silent").name
    with host(folder, bridge, next(numbers), traits, key.public) as made:
        fleet.wake_podman(made)
        yield made


def test_a_tool_that_is_silent_there_is_said(
    admin: Admin, silent_host: Host, rootless: Account, tmp_path: Path
) -> None:
    admin.knows(silent_host)
    imported(rootless, tmp_path, "silent:1", "amd64")
    argv = ("--host", silent_host.target, "--source", "silent:1", "--via", "relay")
    for more in ((), ("--quiet",)):
        done = admin.run("sources/silent:1", *argv, *more)
        assert done.code == 0, done.stderr
        assert "docker does not respond: " in done.stderr
        assert "The image of podman is taken: localhost/silent:1." in done.stderr


def imported(account: Account, folder: Path, name: str, machine: str) -> None:
    tree = folder / name.replace(":", "-")
    tree.mkdir()
    (tree / "file").write_text(name)
    packed = tree.with_suffix(".tar")
    with tarfile.open(packed, "w") as tar:
        tar.add(tree, ".")
    account.run("podman", "import", "--quiet", "--arch", machine, account.give(packed), name)


@pytest.mark.parametrize("command", ["push", "hosts --check"])
def test_looking_for_an_image_makes_no_store_where_there_is_none(
    admin: Admin, podman_host: Host, command: str
) -> None:
    admin.knows(podman_host)
    folder = f"/home/{podman_host.user}/.local/share/containers"
    podman_host.run(f"mount -t tmpfs tmpfs {folder}; chown {podman_host.user} {folder}")
    where = ("--host", podman_host.target, "--source", SAMPLE)
    try:
        done = admin.run("none/store:1", *where) if command == "push" else admin.check(*where)
        made = podman_host.run(f"find {folder} -mindepth 1")
    finally:
        podman_host.run(f"umount {folder}")
    assert done.code == 3, done.stderr
    assert "The host has no image" in done.stderr
    assert not made
