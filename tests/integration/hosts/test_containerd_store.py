"""Hosts whose docker has containerd's image store: whatever the way, the digest stays."""

import json
import shutil
from pathlib import Path

import pytest

from bed import images, pushes
from bed.docker import Docker
from bed.failures import complaint
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host
from bed.registry import Registry

SOURCE = 3
WHOLE = "platforms:1"


@pytest.fixture
def whole(containerd_docker: Docker, multi_platform: Path, tmp_path: Path) -> str:
    """Load an image of several platforms into that docker; return its digest."""
    copy = images.Layout(tmp_path / "whole").folder
    shutil.copytree(multi_platform, copy, dirs_exist_ok=True)
    index = json.loads((copy / "index.json").read_text())
    index["manifests"][0]["annotations"]["io.containerd.image.name"] = f"docker.io/library/{WHOLE}"
    (copy / "index.json").write_text(json.dumps(index))
    assert containerd_docker.load(images.archive(copy, tmp_path / "whole.tar")) == WHOLE
    return str(index["manifests"][0]["digest"])


@pytest.mark.sampled(7)
@pytest.mark.parametrize("way", ["invoke", "copy", "relay", "tunnel"])
@pytest.mark.parametrize("source", [SAMPLE, WHOLE])
def test_the_digest_stays(
    admin: Admin,
    containerd_host: Host,
    containerd_docker: Docker,
    whole: str,
    way: str,
    source: str,
) -> None:
    admin.knows(containerd_host)
    target = f"containerd-ways/{way}-{source}"
    argv = ("--host", containerd_host.target, "--source", source, "--audit")
    done = admin.run(target, *argv, "--via", way)
    assert done.code == 0, done.stderr
    left = [line for line in done.stderr.splitlines() if "left" in line]
    assert left == [f"{containerd_host.address}: no files left behind."]
    digest = admin.pusher().digest_in(done, target)
    assert digest == containerd_docker.image_id(source)
    assert (source == WHOLE) == (digest == whole)
    options = ("--all",) if source == WHOLE else ()
    folder = images.pull(admin.registry, target, admin.folder / "back", *options)
    assert pushes.top(folder)["digest"] == digest
    again = admin.run(target, *argv, "--via", way)
    assert "The registry has this image already." in again.stderr


@pytest.mark.parametrize("source", [SAMPLE, WHOLE])
def test_skopeo_keeps_it_as_well(
    admin: Admin,
    containerd_skopeo_host: Host,
    containerd_docker: Docker,
    far_open_registry: Registry,
    whole: str,
    source: str,
) -> None:
    assert whole
    admin.knows(containerd_skopeo_host)
    open_to_all = Admin(admin.program, far_open_registry, admin.folder)
    argv = ("--host", containerd_skopeo_host.target, "--source", source, "--insecure")
    target = f"containerd-skopeo/{source}"
    done = open_to_all.run(target, *argv)
    assert done.code == 0, done.stderr
    assert "Transfer: invoke (it can)" in done.stderr
    assert open_to_all.pusher().digest_in(done, target) == containerd_docker.image_id(source)


def test_hosts_with_either_store_have_the_same_image(
    admin: Admin,
    containerd_host: Host,
    docker_host: Host,
    containerd_docker: Docker,
    old_docker: Docker,
    old_archive: Path,
) -> None:
    admin.knows(containerd_host, docker_host)
    sample = containerd_docker.image_id(SAMPLE)
    containerd_docker.run("tag", containerd_docker.load(old_archive), "both:1")
    containerd_docker.run("tag", sample, SAMPLE)
    old_docker.run("tag", SAMPLE, "both:1")
    hosts = ("--host", containerd_host.target, "--host", docker_host.target)
    for _ in range(2):
        done = admin.run("containerd-both:1", *hosts, "--source", "both:1")
        assert done.code == 0, done.stderr


def test_blobs_that_were_never_fetched_are_said(
    admin: Admin, containerd_host: Host, containerd_docker: Docker, tmp_path: Path
) -> None:
    admin.knows(containerd_host)
    (tmp_path / "file").write_text(str(tmp_path))
    layout = images.Layout(tmp_path / "layout")
    root = layout.image([images.layer(tmp_path / "file.tar", ["file"], tmp_path)])
    layout.top(root | {"annotations": {"io.containerd.image.name": "docker.io/library/lost:1"}})
    for blob in (layout.folder / "blobs" / "sha256").iterdir():
        if blob.name != root["digest"].removeprefix("sha256:"):
            blob.unlink()
    containerd_docker.load(images.archive(layout.folder, tmp_path / "lost.tar"))
    done = admin.run("lost:1", "--host", containerd_host.target, "--source", "lost:1")
    assert "never fetched" in complaint(done, SOURCE)
