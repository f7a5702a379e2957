"""Other programs read a bundle: each finds its images by their full names."""

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import images
from bed.dockless import Dockless
from bed.images import Layer
from bed.podman import Account
from bed.process import output, running
from bed.registry import Registry
from bed.tools import crane

if TYPE_CHECKING:
    from bed.docker import Docker

WEB, BOTH = "ghcr.io/acme/web:v1", "ghcr.io/acme/both:v1"


@pytest.fixture
def config_of(layers: tuple[Layer, ...], tmp_path: Path) -> dict[str, str]:
    """Make the layouts of two images, one for two platforms; return the configs' digests."""
    web, both = (images.Layout(tmp_path / "layouts" / name) for name in ("web", "both"))
    web.top(web.image(layers[:2], **images.named(WEB)))
    platforms = {"arm64": layers[::2], "amd64": layers}
    both.top(both.platforms(platforms, **images.named(BOTH)))
    index = (
        both.folder
        / "blobs"
        / json.loads((both.folder / "index.json").read_text())["manifests"][0]["digest"].replace(
            ":", "/"
        )
    )
    amd64 = json.loads(index.read_text())["manifests"][1]["digest"]
    manifest = both.folder / "blobs" / amd64.replace(":", "/")
    return {
        WEB: _only_config(web.folder),
        BOTH: json.loads(manifest.read_text())["config"]["digest"],
    }


def _only_config(folder: Path) -> str:
    root = json.loads((folder / "index.json").read_text())["manifests"][0]["digest"]
    manifest = json.loads((folder / "blobs" / root.replace(":", "/")).read_text())
    return str(manifest["config"]["digest"])


@pytest.fixture
def bundle(program: Dockless, config_of: dict[str, str], tmp_path: Path) -> Path:
    assert config_of
    out = tmp_path / "disk.tar"
    done = program.run("bundle", "create", "-o", out, tmp_path / "layouts")
    assert done.code == 0, done.stderr
    return out


@pytest.mark.parametrize("kind", ["old_docker", "new_docker"])
def test_docker_loads_it(
    request: pytest.FixtureRequest, kind: str, bundle: Path, config_of: dict[str, str]
) -> None:
    docker: Docker = request.getfixturevalue(kind)
    said = docker.run("load", "--input", bundle)
    for name, config in config_of.items():
        assert f"Loaded image: {name}" in said
        assert docker.run("image", "inspect", "--format", "{{.Id}}", name).strip() == config


def test_podman_loads_it(rootless: Account, bundle: Path, config_of: dict[str, str]) -> None:
    rootless.run("podman", "load", "--input", rootless.give(bundle))
    for name, config in config_of.items():
        found = rootless.run("podman", "image", "inspect", "--format", "{{.Id}}", name).strip()
        assert f"sha256:{found}" == config


def test_skopeo_reads_it_as_an_oci_archive(bundle: Path, config_of: dict[str, str]) -> None:
    for name, config in config_of.items():
        argv = ("skopeo", "inspect", "--raw", "--config", f"oci-archive:{bundle}:{name}")
        raw = subprocess.run(argv, capture_output=True, check=True).stdout
        assert images.digest(raw) == config


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's programs are started")
@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("name", [WEB, BOTH])
def test_skopeo_of_an_ordinary_user_reads_it(
    rootless: Account, bundle: Path, config_of: dict[str, str], name: str, umask: int
) -> None:
    given = rootless.give(bundle)
    target = given.with_name(f"copied-{umask:o}-{config_of[name][-8:]}")
    line = f"umask {umask:o} && exec skopeo copy oci-archive:{given}:{name} dir:{target}"
    rootless.run("sh", "-c", line)
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["config"]["digest"] == config_of[name]


def test_crane_pushes_all_of_it(program: Dockless, bundle: Path, registry: Registry) -> None:
    folder = bundle.with_name("unpacked")
    folder.mkdir()
    output(("tar", "-xf", bundle, "-C", folder))
    target = f"{registry.host}/readers/all:1"
    output((crane(), "push", "--index", folder, target), environment={"HOME": str(folder)})
    output((crane(), "validate", "--remote", target), environment={"HOME": str(folder)})
    assert program.run("bundle", "verify", folder).code == 0


def test_containerd_imports_it(bundle: Path, tmp_path: Path) -> None:
    socket = tmp_path / "c.sock"
    settings = tmp_path / "containerd.toml"
    settings.write_text(
        f'version = 2\nroot = "{tmp_path}/root"\nstate = "{tmp_path}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{socket}"\n'
    )
    argv = ("containerd", "--config", settings)
    with running(argv, tmp_path / "containerd.log") as daemon:
        daemon.wait_for("containerd successfully booted")
        ctr = ("ctr", "--address", socket)
        output((*ctr, "images", "import", "--no-unpack", bundle))
        named = output((*ctr, "images", "list", "--quiet")).split()
        assert {WEB, BOTH} <= set(named)
