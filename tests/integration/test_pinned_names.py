"""Names that pin a digest: one that their image does not have is a failure, and never claimed."""

import json
import subprocess
from pathlib import Path

import pytest

from bed import images
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.failures import complaint, tags
from bed.fixtures import SAMPLE
from bed.images import Layer
from bed.podman import Account
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

_OTHER = "sha256:" + "1" * 64
_WRONG = [f"docker.io/a/bad@{_OTHER}", f"ghcr.io/a/bad:t@{_OTHER}", f"bad@sha512:{'2' * 128}"]


def _layout(folder: Path, layers: tuple[Layer, ...], *names: str) -> Path:
    """Write a layout of one image a name; `OWN` in a name is the image's own digest."""
    layout = images.Layout(folder)
    tops = []
    for number, name in enumerate(names):
        made = layout.image(layers[: 1 + number % 2], "amd64", annotations={})
        named = name.replace("OWN", made["digest"])
        tops.append({**made, "annotations": {"org.opencontainers.image.ref.name": named}})
    layout.top(*tops)
    return folder


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_mirror_claims_no_digest_that_an_image_does_not_have(
    program: Dockless, registry: Registry, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    lay, receipt = _layout(tmp_path / "lay", layers, "docker.io/a/good:1", wrong), tmp_path / "r"
    to = f"{registry.host}/{tmp_path.name.lower()}"
    done = program.run("mirror", lay, "--to", to, "--receipt", receipt)
    assert done.code == 8, done.stderr
    assert f"{wrong} whose digest is sha256:" in done.stderr
    written = json.loads(receipt.read_text())
    assert [each["references"] for each in written["images"]] == [[f"{to}/a/good:1"]]
    assert [each["name"] for each in written["failures"]] == [wrong]
    checked = program.run("verify", receipt)
    assert checked.code == 8, "it is a receipt, of a mirror that did not do all"
    assert tags(registry, f"{tmp_path.name.lower()}/a/bad") == set()
    alone = _layout(tmp_path / "alone", layers, wrong)
    for named in ((), ("--as", "given:2"), ("--as", "quay.io/other/given:3")):
        done = program.run("mirror", alone, "--to", to, *named)
        assert "whose digest is" in complaint(done, 3)
        done = program.run("bundle", "create", "-o", tmp_path / "out", alone, *named)
        assert "whose digest is" in complaint(done, 3)
    for path in ("given", "other/given", "a/given"):
        assert tags(registry, f"{tmp_path.name.lower()}/{path}") == set(), "nothing is renamed"


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_push_refuses_a_source_whose_name_pins_another_digest(
    program: Dockless, registry: Registry, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    good = f"{registry.host}/{tmp_path.name.lower()}/good:1"
    lay = _layout(tmp_path / "lay", layers, good, wrong)
    to = f"{registry.host}/{tmp_path.name.lower()}/app:1"
    for source in (f"{lay}:{wrong}", f"{lay}:@1"):
        done = program.run("push", source, "--image", to)
        assert "whose digest is" in complaint(done, 3)
    assert program.run("push", f"{lay}:{good}", "--image", to).code == 0
    every = program.run("push", lay, "--all")
    assert every.code == 8, every.stderr
    assert f"{wrong} whose digest is" in every.stderr


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_bundle_has_no_name_that_pins_another_digest(
    program: Dockless, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    lay, out = _layout(tmp_path / "lay", layers, "docker.io/a/good:1", wrong), tmp_path / "out"
    done = program.run("bundle", "create", "-o", out, lay)
    assert "whose digest is" in complaint(done, 3)
    assert not out.exists()
    done = program.run("bundle", "create", "-o", out, lay, "--keep-going")
    assert done.code == 8, done.stderr
    assert f"Missing in {out}: " in done.stderr
    assert wrong not in (out / "index.json").read_text()
    assert program.run("bundle", "verify", out).code == 0
    found = program.run("bundle", "verify", lay)
    assert found.code == 3
    assert f"{wrong} whose digest is sha256:" in found.stderr


@pytest.mark.parametrize(
    "more", [(), ("--manifest-format", "docker"), ("--platform", "linux/amd64")]
)
def test_verify_accepts_every_receipt_of_odd_names(
    program: Dockless,
    registry: Registry,
    layers: tuple[Layer, ...],
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    names = (
        "docker.io/a/good:1",
        "docker.io/a/own@OWN",
        "ghcr.io/a/both:t@OWN",
        f"docker.io/a/bad@{_OTHER}",
        f"bad:t@{_OTHER}",
        f"bad@sha512:{'3' * 128}",
        "bare",
        "localhost:1/x",
        "index.docker.io/one:1",
        "UPPER/Case:1",
        "@",
        "a@sha256:12",
        "a/b@OWN@OWN",
        "ü:1",
        "a:" + "t" * 129,
    )
    lay = _layout(tmp_path / "lay", layers, *names)
    multi = images.Layout(tmp_path / "multi")
    index = multi.platforms({"amd64": layers[:1], "arm64": layers[:2]})
    name = f"docker.io/a/multi@{index['digest']}"
    multi.top({**index, "annotations": {"org.opencontainers.image.ref.name": name}})
    receipt, to = tmp_path / "r.json", f"{registry.host}/{tmp_path.name.lower()}"
    done = program.run("mirror", lay, multi.folder, "--to", to, "--receipt", receipt, *more)
    assert done.code == 8, done.stderr
    written = json.loads(receipt.read_text())
    claimed = {text for each in written["images"] for text in each["references"]}
    assert not any("/bad" in text for text in claimed)
    assert any("/a/own@" in text for text in claimed)
    assert any("/a/multi@" in text for text in claimed)
    checked = program.run("verify", receipt)
    assert checked.code == 8, checked.stderr
    assert "is not a valid receipt" not in checked.stderr
    assert "differs" not in checked.stderr, "what is claimed is there"


def _pulled(docker: Docker, registry: Registry, path: str) -> tuple[str, str]:
    """Push the sample with docker; return its name there, and the digest that docker made of it."""
    name = f"{registry.host}/{path}"
    docker.run("tag", SAMPLE, f"{name}:1")
    docker.run("push", f"{name}:1")
    known = json.loads(docker.run("image", "inspect", f"{name}:1"))[0]["RepoDigests"]
    return name, next(each.partition("@")[2] for each in known if each.startswith(f"{name}@"))


@pytest.mark.parametrize("form", ["{0}@{1}", "docker-daemon:{0}:1@{1}", "{0}:other@{1}"])
def test_a_digest_that_docker_cannot_give_back_is_a_failure_of_every_command(
    old_docker: Docker, registry: Registry, tmp_path: Path, form: str
) -> None:
    name, digest = _pulled(old_docker, registry, f"classic/{tmp_path.name.lower()}")
    program = dockless(tmp_path / "dockless", DOCKER_HOST=old_docker.address)
    source, to = form.format(name, digest), f"{name}-copy"
    said = "whose digest is sha256:"
    for argv in (
        ("push", source, "--image", f"{to}:1"),
        ("push", source, "--image", f"{to}:1", "--dry-run"),
        ("mirror", source, "--to", f"{registry.host}/copies"),
        ("bundle", "create", "-o", tmp_path / "out", source),
    ):
        done = program.run(*argv)
        assert f"docker has an image named {source.removeprefix('docker-daemon:')}" in done.stderr
        assert said in complaint(done, 3), argv
    assert tags(registry, to.partition("/")[2]) == set()
    # the remedies that are given
    assert program.run("push", f"docker://{name}@{digest}", "--image", f"{to}:1").code == 0
    assert program.run("push", old_docker.image_id(SAMPLE), "--image", f"{to}:2").code == 0


@pytest.mark.parametrize("form", ["{0}@{1}", "{0}:1@{1}", "docker-daemon:{0}:other@{1}"])
def test_a_digest_that_docker_keeps_is_pushed(
    containerd_docker: Docker, registry: Registry, tmp_path: Path, form: str
) -> None:
    name, digest = _pulled(containerd_docker, registry, f"kept/{tmp_path.name.lower()}")
    program = dockless(tmp_path / "dockless", DOCKER_HOST=containerd_docker.address)
    source, to = form.format(name, digest), f"{name}-copy"
    done = program.run("push", source, "--image", f"{to}:1")
    assert (done.code, done.stdout) == (0, f"{to}@{digest}\n"), done.stderr


@pytest.mark.parametrize("form", ["sample:1@{}", "localhost/sample@{}", "localhost/sample:2@{}"])
@pytest.mark.parametrize("tool", ["podman", "buildah"])
def test_a_digest_that_podman_and_buildah_cannot_give_back_is_a_failure(
    rootless: Account, registry: Registry, tmp_path: Path, form: str, tool: str
) -> None:
    digest = rootless.run("podman", "image", "inspect", "--format", "{{.Digest}}", SAMPLE)
    path = f"rootless/{tmp_path.name.lower()}"
    to, source = f"{registry.host}/{path}:1", form.format(digest)
    folder = rootless.home / f"only-{tool}"
    rootless.run("mkdir", "-p", folder)
    for each in (tool, "newuidmap", "newgidmap", "fuse-overlayfs"):
        rootless.run("ln", "-sf", f"/usr/bin/{each}", folder)
    search = f"PATH={folder}:{rootless.home / 'bin'}"
    program = str(rootless.home / "bin" / "dockless")
    argv = rootless.argv("env", search, program, "push", source, "--image", to)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3, done.stderr
    assert f"{tool} has an image named {source} whose digest is sha256:" in done.stderr
    assert tags(registry, path) == set()
