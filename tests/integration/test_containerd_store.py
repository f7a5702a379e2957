"""Docker with containerd's image store: what it has arrives as it is, under the digest it shows."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bed import images, pushes
from bed.docker import Docker
from bed.dockless import dockless
from bed.failures import complaint, published
from bed.fixtures import SAMPLE
from bed.images import Json, Layer, Layout
from bed.pushes import Pusher
from bed.registry import Registry
from bed.tap import Tap, tap

SOURCE = 3
BASE = "dockless-base:1"


@pytest.fixture
def tapped(containerd_docker: Docker) -> Iterator[Tap]:
    with tap(containerd_docker.socket) as relay:
        yield relay


@pytest.fixture
def pusher(registry: Registry, tmp_path: Path, tapped: Tap) -> Pusher:
    """Somebody who has such a daemon."""
    return Pusher(dockless(tmp_path / "dockless", DOCKER_HOST=tapped.address), registry, tmp_path)


def own_layers(folder: Path, *names: str) -> list[Layer]:
    """Make layers that no other image of the daemon has."""
    made = []
    for name in names:
        (folder / name).write_text(f"{folder} {name}\n" * 999)
        made.append(images.layer(folder / f"{name}.tar", [name], folder))
    return made


def loaded(docker: Docker, layout: Layout, root: Json, name: str) -> str:
    """Load an OCI archive of a layout under a name; return its digest."""
    whole = f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"
    annotations = {"io.containerd.image.name": whole}
    layout.top(root | {"annotations": annotations})
    assert docker.load(images.archive(layout.folder, layout.folder.with_suffix(".tar"))) == name
    return str(root["digest"])


def children(layout: Layout, root: Json) -> Mapping[str, Json]:
    """Return the descriptors in an index, by their architecture."""
    index = json.loads(pushes.blob(layout.folder, root["digest"]).read_bytes())
    return {each["platform"]["architecture"]: each for each in index["manifests"]}


def blobs_of(layout: Layout, manifest: Json) -> list[str]:
    """Return the digests of a manifest's layers and config, and its own."""
    document = json.loads(pushes.blob(layout.folder, manifest["digest"]).read_bytes())
    layers = [layer["digest"] for layer in document["layers"]]
    return [*layers, document["config"]["digest"], manifest["digest"]]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Layout, Json]:
    """A layout with an index of amd64 and arm64/v8, which share their first layer."""
    base, one, other = own_layers(tmp_path, "base", "one", "other")
    layout = Layout(tmp_path / "two")
    return layout, layout.platforms({"amd64": [base, one], "arm64/v8": [base, other]})


@pytest.mark.sampled(5)
@pytest.mark.parametrize("form", ["{id}", "{hex}", "{hex:.12}", "sample@{id}", "{name}"])
def test_an_image_arrives_under_its_digest_whatever_it_is_called(
    pusher: Pusher, containerd_docker: Docker, tapped: Tap, form: str
) -> None:
    image_id = containerd_docker.image_id(SAMPLE)
    source = form.format(id=image_id, hex=image_id.removeprefix("sha256:"), name=SAMPLE)
    digest = pusher.push("containerd/called:1", source)
    assert digest == image_id == containerd_docker.digest(SAMPLE)
    arrived, back = pusher.arrived("containerd/called:1")
    inspected = pushes.inspected(containerd_docker.run("image", "inspect", SAMPLE))
    assert (arrived, back.diff_ids) == (digest, inspected.diff_ids)
    saves = tapped.saves
    assert pusher.push("containerd/called-elsewhere:1", source) == digest
    assert tapped.saves == saves


def committed(docker: Docker, name: str) -> None:
    container = docker.run("create", "--network", "none", BASE, "/nothing")
    docker.run("commit", container, name)
    docker.run("rm", container)


def retagged(docker: Docker, archive: Path, name: str) -> None:
    docker.run("tag", docker.load(archive), name)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("origin", ["built", "committed", "imported", "loaded", "loaded-oci"])
def test_an_image_stays_as_it_is_however_it_came(
    pusher: Pusher,
    containerd_docker: Docker,
    old_archive: Path,
    tmp_path: Path,
    origin: str,
) -> None:
    name = f"{origin}:1"
    match origin:
        case "built":
            containerd_docker.run("tag", SAMPLE, name)
        case "committed":
            committed(containerd_docker, name)
        case "imported":
            (layer,) = own_layers(tmp_path, "tree")
            containerd_docker.import_tree(layer.path, name)
        case "loaded":
            sample = containerd_docker.image_id(SAMPLE)
            retagged(containerd_docker, old_archive, name)
            containerd_docker.run("tag", sample, SAMPLE)
        case "loaded-oci":
            layout = Layout(tmp_path / "layout")
            loaded(containerd_docker, layout, layout.image(own_layers(tmp_path, "tree")), name)
    target = f"containerd/{origin}:1"
    result = pusher.run(target, name)
    digest = pusher.digest_in(result, target)
    assert digest == containerd_docker.image_id(name)
    arrived, back = pusher.arrived(target)
    inspected = pushes.inspected(containerd_docker.run("image", "inspect", name))
    assert (arrived, back.diff_ids) == (digest, inspected.diff_ids)
    # of a docker-archive the store has a layer gzipped only if another image brought it so
    plain = any(kind.endswith(".tar") for kind in pushes.layer_types(pusher.manifest(target)))
    assert plain == ("uncompressed layers" in result.stderr) == (origin == "loaded")


def test_what_is_shown_of_an_image_is_what_arrives(
    pusher: Pusher, containerd_docker: Docker, tapped: Tap
) -> None:
    argv = ("push", SAMPLE, "--image", pusher.reference("containerd/shown:1"), "--format", "json")
    runs = [pusher.program.run(*argv, *more).stdout for more in (("--dry-run",), (), ())]
    plan, *results = (pushes.document(stdout) for stdout in runs)
    results = [plan["plan"], *(each["result"]["plan"] for each in results)]
    assert {each["digest"] for each in results} == {containerd_docker.image_id(SAMPLE)}
    assert {each["digestIsNew"] for each in results} == {False}
    manifest = json.loads(pusher.manifest("containerd/shown:1"))
    assert {each["imageId"] for each in results} == {manifest["config"]["digest"]}
    assert tapped.saves == 1


def test_what_every_tag_names_is_not_even_saved_once(
    pusher: Pusher, containerd_docker: Docker, two: tuple[Layout, Json], tapped: Tap, tmp_path: Path
) -> None:
    digest = loaded(containerd_docker, *two, "known:1")
    target = "containerd/known:1"
    elsewhere = Pusher(dockless(tmp_path / "elsewhere"), pusher.registry, tmp_path)
    assert elsewhere.push(target, two[0].folder.with_suffix(".tar")) == digest
    argv = ("push", "known:1", "--image", pusher.reference(target), "--format", "json")
    result = pushes.document(pusher.program.run(*argv).stdout)["result"]
    assert (result["digest"], result["unchanged"]) == (digest, True)
    assert result["plan"]["digestIsNew"] is False
    assert result["plan"]["platforms"] == ["linux/amd64", "linux/arm64/v8"]
    assert tapped.saves == 0


def test_the_client_does_as_well(
    containerd_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    contexts = containerd_docker.context(tmp_path / "contexts", "far")
    program = dockless(tmp_path / "dockless", DOCKER_CONFIG=str(contexts), DOCKER_CONTEXT="far")
    pusher = Pusher(program, registry, tmp_path)
    digest = pusher.push("containerd/client:1", SAMPLE)
    assert digest == containerd_docker.image_id(SAMPLE)
    assert pusher.digest("containerd/client:1") == digest


def test_an_index_stays_whole_and_one_platform_is_picked(
    pusher: Pusher, containerd_docker: Docker, two: tuple[Layout, Json], tapped: Tap
) -> None:
    layout, root = two
    digest = loaded(containerd_docker, layout, root, "whole:1")
    assert containerd_docker.digest("whole:1") == digest
    assert pusher.push("containerd/whole:1", "whole:1") == digest
    arm = children(layout, root)["arm64"]
    options = ("--platform", "linux/arm64")
    assert pusher.push("containerd/arm:1", "whole:1", *options) == arm["digest"]
    assert tapped.saves == 1
    folder = images.pull(pusher.registry, "containerd/whole:1", pusher.folder / "back", "--all")
    assert pushes.top(folder)["digest"] == digest


@pytest.mark.parametrize("gone", ["layers", "all"])
def test_a_platform_that_was_never_fetched_is_said_and_the_other_can_be_pushed(
    pusher: Pusher, containerd_docker: Docker, two: tuple[Layout, Json], gone: str
) -> None:
    layout, root = two
    parts = children(layout, root)
    shared = blobs_of(layout, parts["amd64"])
    own = [each for each in blobs_of(layout, parts["arm64"]) if each not in shared]
    for digest in own[:1] if gone == "layers" else own:
        pushes.blob(layout.folder, digest).unlink()
    name, target = f"half-{gone}:1", f"containerd/half-{gone}:1"
    loaded(containerd_docker, layout, root, name)
    said = complaint(pusher.run(target, name), SOURCE)
    assert "lacks blobs of it for linux/arm64/v8" in said
    assert "--platform linux/amd64" in said
    assert f"docker pull --platform linux/arm64/v8 {name}" in said
    assert published(pusher.registry, target.partition(":")[0]) == set()
    complaint(pusher.run(target, name, "--platform", "linux/arm64"), SOURCE)
    digest = pusher.push(target, name, "--platform", "linux/amd64")
    assert digest == parts["amd64"]["digest"]
    assert len(pusher.back(target).diff_ids) == 2


def test_an_image_whose_blobs_were_never_fetched_is_said(
    pusher: Pusher, containerd_docker: Docker, tmp_path: Path
) -> None:
    layout = Layout(tmp_path / "empty")
    root = layout.image(own_layers(tmp_path, "tree"))
    pushes.blob(layout.folder, blobs_of(layout, root)[0]).unlink()
    loaded(containerd_docker, layout, root, "empty:1")
    said = complaint(pusher.run("containerd/empty:1", "empty:1"), SOURCE)
    assert "never fetched" in said
    assert "docker pull empty:1" in said
    assert "--platform" not in said
    archive = containerd_docker.save(tmp_path / "saved.tar", "empty:1")
    said = complaint(pusher.run("containerd/empty:1", archive), SOURCE)
    assert "If Docker itself lacks it, pull the image again" in said


def test_a_bundle_and_a_mirror_keep_the_digest(
    pusher: Pusher, containerd_docker: Docker, two: tuple[Layout, Json]
) -> None:
    digests = {"team/two:1": loaded(containerd_docker, *two, "team/two:1")}
    containerd_docker.run("tag", SAMPLE, "team/sample:1")
    digests["team/sample:1"] = containerd_docker.image_id(SAMPLE)
    bundle = pusher.folder / "bundle.tar"
    made = pusher.program.run("bundle", "create", "-o", bundle, *digests)
    assert made.code == 0, made.stderr
    for prefix, sources in (("carried", [bundle]), ("mirrored", digests)):
        to = f"{pusher.registry.host}/{prefix}"
        done = pusher.program.run("mirror", *sources, "--to", to)
        assert done.code == 0, done.stderr
        arrived = {name: pusher.digest(f"{prefix}/{name}") for name in digests}
        assert arrived == digests
