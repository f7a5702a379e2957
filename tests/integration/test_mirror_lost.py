"""What a registry lost behind a tag that stands is seen, said, and sent again."""

import json
import shutil
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.images import Layer
from bed.pushes import Json, Pusher
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


@pytest.fixture
def folder(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    """Two images that share a layer, and one for two platforms."""
    for name, parts in (("web", layers[:2]), ("job", layers[1:])):
        layout = images.Layout(tmp_path / "images" / name)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/{name}:v1")))
    layout = images.Layout(tmp_path / "images" / "both")
    platforms = {"amd64": layers[:1], "arm64": layers[1:2]}
    layout.top(layout.platforms(platforms, **images.named("ghcr.io/acme/both:v1")))
    return tmp_path / "images"


def manifest(pusher: Pusher, name: str) -> Json:
    return dict(json.loads(pusher.manifest(name)))


def lose(registry: Registry, digest: str) -> None:
    """Take a blob's or a manifest's bytes away, as a disk does."""
    digits = digest.partition(":")[2]
    shutil.rmtree(registry.storage / "docker/registry/v2/blobs/sha256" / digits[:2] / digits)


def has(registry: Registry, digest: str) -> bool:
    digits = digest.partition(":")[2]
    blobs = registry.storage / "docker/registry/v2/blobs/sha256"
    return (blobs / digits[:2] / digits / "data").exists()


def the_lost(pusher: Pusher, what: str) -> tuple[str, str]:
    """Return the name of an image, and the digest of a part of it."""
    if what == "child":
        return "m/acme/both:v1", manifest(pusher, "m/acme/both:v1")["manifests"][1]["digest"]
    if what == "config":
        return "m/acme/web:v1", manifest(pusher, "m/acme/web:v1")["config"]["digest"]
    if what == "shared":
        return "m/acme/web:v1", manifest(pusher, "m/acme/web:v1")["layers"][-1]["digest"]
    return "m/acme/web:v1", manifest(pusher, "m/acme/web:v1")["layers"][0]["digest"]


@pytest.mark.parametrize("what", ["config", "layer", "shared", "child"])
def test_a_mirror_with_a_receipt_sends_what_was_lost(
    pusher: Pusher, folder: Path, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "receipt.json"
    argv = ("mirror", folder, "--to", f"{pusher.registry.host}/m")
    assert pusher.program.run(*argv).code == 0
    name, lost = the_lost(pusher, what)
    lose(pusher.registry, lost)
    unseen = pusher.program.run(*argv, "--receipt", path, "--no-check-blobs")
    assert unseen.code == 0, unseen.stderr
    assert {each["checked"] for each in json.loads(path.read_text())["images"]} == {False}
    wrong = pusher.program.run("verify", path)
    assert wrong.code == (1 if what == "shared" else 8), "all of them, or one"
    assert lost in wrong.stderr
    assert "--check-blobs" in wrong.stderr, "it says what mends it"
    mended = pusher.program.run(*argv, "--receipt", path)
    assert mended.code == 0, mended.stderr
    assert has(pusher.registry, lost)
    assert pusher.digest(name)
    found = json.loads(path.read_text())["images"]
    assert {each["checked"] for each in found} == {True}
    assert not all(each["unchanged"] for each in found)
    assert pusher.program.run("verify", path).code == 0


@pytest.mark.parametrize("asked", ["--verify", "--check-blobs"])
@pytest.mark.parametrize("engine", ["auto", "direct", "skopeo"])
def test_a_push_sends_what_was_lost_where_that_is_asked(
    pusher: Pusher, folder: Path, asked: str, engine: str
) -> None:
    argv = (folder / "web", "--engine", engine)
    before = pusher.push("web:v1", *argv)
    lost = manifest(pusher, "web:v1")["layers"][0]["digest"]
    lose(pusher.registry, lost)
    assert pusher.push("web:v1", *argv) == before
    assert not has(pusher.registry, lost)
    assert pusher.push("web:v1", *argv, asked) == before
    assert has(pusher.registry, lost)


def cut(registry: Registry, digest: str) -> None:
    """Take the last byte of a blob away, as a disk that was full does."""
    digits = digest.partition(":")[2]
    blobs = registry.storage / "docker/registry/v2/blobs/sha256"
    path = blobs / digits[:2] / digits / "data"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("what", ["config", "layer", "shared"])
def test_a_receipt_claims_no_blob_that_is_cut(
    pusher: Pusher, folder: Path, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "receipt.json"
    argv = ("mirror", folder, "--to", f"{pusher.registry.host}/m", "--receipt", path)
    assert pusher.program.run(*argv).code == 0
    _, digest = the_lost(pusher, what)
    cut(pusher.registry, digest)
    # Docker's registry takes no blob that it has, however short it is
    done = pusher.program.run(*argv)
    assert done.code in {1, 8}, "all of the images have it, or some"
    assert f"damaged copy of the blob {digest}" in done.stderr
    assert "has to delete the blob there" in done.stderr
    lose(pusher.registry, digest)
    assert pusher.program.run(*argv).code == 0
    assert pusher.program.run("verify", path).code == 0


@pytest.mark.parametrize("engine", ["auto", "direct", "crane", "skopeo"])
def test_a_push_of_another_tag_does_not_rely_on_a_blob_that_is_cut(
    pusher: Pusher, folder: Path, engine: str
) -> None:
    pusher.push("web:v1", folder / "web", "--engine", engine)
    digest = manifest(pusher, "web:v1")["layers"][0]["digest"]
    cut(pusher.registry, digest)
    done = pusher.run("web:v2", folder / "web", "--engine", engine)
    assert done.code == 1, done.stderr
    assert f"damaged copy of the blob {digest}" in done.stderr
    tags = pusher.registry.storage / "docker/registry/v2/repositories/web/_manifests/tags"
    assert {each.name for each in tags.iterdir()} == {"v1"}


def test_an_engine_that_sends_nothing_again_fails_and_says_so(pusher: Pusher, folder: Path) -> None:
    argv = (folder / "web", "--engine", "crane")
    pusher.push("web:v1", *argv)
    lost = manifest(pusher, "web:v1")["layers"][0]["digest"]
    lose(pusher.registry, lost)
    done = pusher.run("web:v1", *argv, "--check-blobs")
    assert has(pusher.registry, lost) == (done.code == 0)
    if done.code:
        assert "without --engine" in done.stderr


def test_a_new_image_does_not_rely_on_what_its_neighbour_lost(
    pusher: Pusher, folder: Path, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    argv = ("--to", pusher.registry.host)
    assert pusher.program.run("mirror", folder / "web", *argv).code == 0
    lost = manifest(pusher, "acme/web:v1")["layers"][0]["digest"]
    lose(pusher.registry, lost)
    layout = images.Layout(tmp_path / "next")
    layout.top(layout.image(layers, "amd64", **images.named("ghcr.io/acme/web:v2")))
    for each in range(3):
        layout = images.Layout(tmp_path / f"next-{each}")
        parts = (layers[each % 2], *layers)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/web:w{each}")))
    sources = (folder / "web", tmp_path / "next", *sorted(tmp_path.glob("next-*")))
    done = pusher.program.run("mirror", *sources, *argv, "--parallel", "1")
    assert done.code == 0, done.stderr
    assert has(pusher.registry, lost)


def test_a_check_of_what_is_whole_writes_nothing(pusher: Pusher, folder: Path) -> None:
    before = pusher.push("web:v1", folder / "web")
    count = len(pusher.registry.requests())
    assert pusher.push("web:v1", folder / "web", "--check-blobs") == before
    asked = pusher.registry.requests()[count:]
    assert {each.method for each in asked} <= {"GET", "HEAD"}
    assert sum("/blobs/" in each.path for each in asked) == 3


@pytest.mark.parametrize("what", ["config", "layer", "shared"])
@pytest.mark.parametrize("engine", ["auto", "skopeo", "direct", "crane"])
def test_what_the_source_has_lost_is_said_of_the_source(
    pusher: Pusher, folder: Path, what: str, engine: str
) -> None:
    host = pusher.registry.host
    assert pusher.program.run("mirror", folder, "--to", f"{host}/m").code == 0
    name, lost = the_lost(pusher, what)
    lose(pusher.registry, lost)
    source = f"docker://{host}/{name}"
    done = pusher.program.run("mirror", source, "--to", f"{host}/n", "--engine", engine)
    assert done.code == 3, done.stderr
    assert f"{host} does not have " in done.stderr
    assert f"{lost} of {host}/{name}" in done.stderr
    assert "--engine auto" not in done.stderr


@pytest.mark.parametrize("what", ["config", "layer", "shared"])
def test_a_dry_run_does_not_claim_what_it_did_not_see(
    pusher: Pusher, folder: Path, what: str
) -> None:
    argv = ("mirror", folder, "--to", f"{pusher.registry.host}/m", "--dry-run")
    assert pusher.program.run(*argv[:-1]).code == 0
    whole = pusher.program.run(*argv, "--check-blobs")
    assert "there already" in whole.stdout
    _, lost = the_lost(pusher, what)
    lose(pusher.registry, lost)
    unseen = pusher.program.run(*argv)
    assert "blobs were not checked (--check-blobs" in unseen.stdout
    assert "there already" not in unseen.stdout + unseen.stderr
    assert "1 blob" in pusher.program.run(*argv, "--check-blobs").stdout


def test_a_dry_run_writes_no_receipt(pusher: Pusher, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    argv = ("mirror", folder, "--to", pusher.registry.host, "--receipt", path)
    done = pusher.program.run(*argv, "--dry-run")
    assert done.code == 0, done.stderr
    assert not path.exists()
    assert "writes no receipt" in done.stderr
