"""OCI layouts and archives go as they are; both engines push all of what can be staged."""

import gzip
import json
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bed import images, pushes
from bed.dockless import Dockless
from bed.images import Layer, Layout
from bed.podman import Account
from bed.process import output
from bed.pushes import Json, Pusher
from bed.registry import Registry

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"
ENGINES = ("crane", "skopeo")

Pack = Callable[[Path], bytes]


@pytest.fixture
def pusher(program: Dockless, locked_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, locked_registry, tmp_path)


def gzipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 1, mtime=0)


def zstandard(path: Path) -> bytes:
    return subprocess.run(("zstd", "-1", "-c", path), capture_output=True, check=True).stdout


def image(layout: Layout, parts: Sequence[Layer], types: tuple[str, str, str], pack: Pack) -> Json:
    """Write an image with these media types of manifest, config and layers."""
    manifest_type, config_type, layer_type = types
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [part.diff_id for part in parts]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": layout.blob(json.dumps(config).encode(), config_type),
        "layers": [layout.blob(pack(part.path), layer_type) for part in parts],
    }
    platform = {"os": "linux", "architecture": "amd64"}
    return layout.document(manifest, platform=platform, **images.named("1"))


@pytest.fixture(scope="session")
def made(
    layers: tuple[Layer, ...],
    oci_layout: Path,
    multi_platform: Path,
    nested_index: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Layouts of every kind, each with one entry that is called `1`."""
    folder = tmp_path_factory.mktemp("made")
    docker = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)

    def layout(name: str, types: tuple[str, str, str], pack: Pack) -> Path:
        made = Layout(folder / name)
        return made.top(image(made, layers[:2], types, pack))

    docker_list = Layout(folder / "docker-list")
    entry = image(docker_list, layers[1:], docker, gzipped)
    listed = {"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": [entry]}
    return {
        "gzip": oci_layout,
        "zstd": layout("zstd", (images.MANIFEST, images.CONFIG, ZSTD_LAYER), zstandard),
        "uncompressed": layout(
            "uncompressed", (images.MANIFEST, images.CONFIG, images.PLAIN_LAYER), Path.read_bytes
        ),
        "docker": layout("docker", docker, gzipped),
        "docker-list": docker_list.top(docker_list.document(listed, **images.named("1"))),
        "platforms": multi_platform,
        "nested": nested_index,
    }


LAYOUTS = ("gzip", "zstd", "uncompressed", "docker", "docker-list", "platforms", "nested")


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_layout_arrives_byte_for_byte(
    pusher: Pusher, made: dict[str, Path], kind: str, engine: str
) -> None:
    root = pushes.top(made[kind])
    name = f"layouts/{kind}-{engine}:1"
    result = pusher.run(name, made[kind], "--engine", engine, "--format", "json")
    done = pushes.document(result.stdout)["result"]
    assert (done["engine"], done["digest"]) == (engine, root["digest"])
    assert_whole(pusher, name, made[kind], root)


def assert_whole(pusher: Pusher, name: str, layout: Path, root: Json) -> None:
    """Compare what a name names, and everything below it, with the layout it came from."""
    there = pusher.manifest(name)
    assert there == pushes.blob(layout, root["digest"]).read_bytes()
    repository = name.rpartition(":")[0].partition("@")[0]
    document = json.loads(there)
    for child in document.get("manifests", ()):
        assert_whole(pusher, f"{repository}@{child['digest']}", layout, child)
    for blob in [document["config"], *document["layers"]] if "config" in document else ():
        stored = pusher.registry.storage / "docker/registry/v2/blobs" / "sha256"
        hexadecimal = blob["digest"].removeprefix("sha256:")
        data = (stored / hexadecimal[:2] / hexadecimal / "data").read_bytes()
        assert data == pushes.blob(layout, blob["digest"]).read_bytes()


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_both_engines_push_what_was_compressed_here(
    pusher: Pusher, old_archive: Path, compression: str, engine: str
) -> None:
    name = f"layouts/staged-{compression}-{engine}:1"
    digest = pusher.push(name, old_archive, "--compression", compression, "--engine", engine)
    assert pusher.digest(name) == digest
    assert pusher.back(name) == pushes.archive_identity(old_archive)


@pytest.mark.parametrize("kind", ["gzip", "zstd", "uncompressed"])
def test_a_layout_comes_back_with_its_config_and_layers(
    pusher: Pusher, made: dict[str, Path], kind: str
) -> None:
    pusher.push(f"layouts/back-{kind}:1", made[kind])
    assert pusher.back(f"layouts/back-{kind}:1") == pushes.layout_identity(made[kind])


def test_a_whole_index_comes_back_with_its_digest(
    pusher: Pusher, multi_platform: Path, tmp_path: Path
) -> None:
    digest = pusher.push("layouts/whole:1", multi_platform)
    back = images.pull(pusher.registry, "layouts/whole:1", tmp_path / "whole", "--all")
    assert pushes.top(back)["digest"] == pushes.top(multi_platform)["digest"] == digest


@pytest.mark.sampled(5)
@pytest.mark.parametrize("form", ["{0}", "{0}:1", "oci:{0}:1", "oci:{0}"])
def test_a_layout_is_named_in_every_way(pusher: Pusher, oci_layout: Path, form: str) -> None:
    digest = pusher.push("layouts/named:1", form.format(oci_layout))
    assert digest == pushes.top(oci_layout)["digest"]


def test_one_image_of_a_layout_is_chosen(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = Layout(tmp_path / "two")
    one = layout.image(layers[:1], **images.named("one"))
    two = layout.image(layers[1:2], **images.named("two"))
    layout.top(one, two)
    assert pusher.push("layouts/chosen:1", f"{layout.folder}:two") == two["digest"]
    result = pusher.run("layouts/chosen:1", layout.folder)
    assert (result.code, result.stdout) == (3, "")
    assert "@0 one for linux/amd64; @1 two for linux/amd64" in result.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("kind", "platform"),
    [
        ("platforms", "linux/amd64"),
        ("platforms", "linux/arm64"),
        ("nested", "linux/s390x"),
        ("nested", "linux/arm64"),
    ],
)
def test_one_platform_of_an_index_arrives(
    pusher: Pusher, made: dict[str, Path], kind: str, platform: str
) -> None:
    wanted = platform.partition("/")[2]
    (entry,) = (each for each in leaves(made[kind]) if each["platform"]["architecture"] == wanted)
    name = f"layouts/{kind}-{wanted}:1"
    assert pusher.push(name, made[kind], "--platform", platform) == entry["digest"]
    assert_whole(pusher, name, made[kind], entry)


def leaves(layout: Path, root: Json | None = None) -> list[Json]:
    """Return the descriptors of a layout's manifests, at whatever depth."""
    root = root or pushes.top(layout)
    if root["mediaType"] != images.INDEX:
        return [root]
    listed = json.loads(pushes.blob(layout, root["digest"]).read_bytes())["manifests"]
    return [leaf for child in listed for leaf in leaves(layout, child)]


def test_a_platform_that_is_not_there_is_an_error_that_lists_those_that_are(
    pusher: Pusher, multi_platform: Path
) -> None:
    result = pusher.run("layouts/none:1", multi_platform, "--platform", "linux/riscv64")
    assert (result.code, result.stdout) == (3, "")
    assert "linux/amd64, linux/arm64/v8" in result.stderr


@pytest.mark.parametrize("form", ["{0}", "{0}:1", "oci-archive:{0}:1"])
def test_an_oci_archive_arrives_as_it_is(
    pusher: Pusher, oci_archive: Path, oci_layout: Path, form: str
) -> None:
    source = form.format(oci_archive)
    assert pusher.push("layouts/archive:1", source) == pushes.top(oci_layout)["digest"]
    assert pusher.back("layouts/archive:1") == pushes.layout_identity(oci_layout)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", ["docker", "platforms", "nested"])
@pytest.mark.parametrize("form", ["plain", "dotted"])
def test_an_archived_layout_arrives_as_it_is(
    pusher: Pusher, made: dict[str, Path], kind: str, form: str, tmp_path: Path
) -> None:
    packed = images.archive(made[kind], tmp_path / "layout.tar", dotted=form == "dotted")
    root = pushes.top(made[kind])
    name = f"layouts/archived-{kind}:1"
    assert pusher.push(name, packed) == root["digest"]
    assert_whole(pusher, name, made[kind], root)


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_compressed_oci_archive_arrives_as_it_is(
    pusher: Pusher, oci_archive: Path, oci_layout: Path, how: images.Compression, tmp_path: Path
) -> None:
    copy = tmp_path / "layout.tar"
    copy.symlink_to(oci_archive)
    packed = images.compressed(copy, how)
    assert pusher.push(f"layouts/{how}:1", packed) == pushes.top(oci_layout)["digest"]


@pytest.mark.parametrize("kind", ["gzip", "nested"])
def test_an_oci_archive_arrives_through_standard_input(
    pusher: Pusher, made: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    packed = images.archive(made[kind], tmp_path / "layout.tar")
    root = pushes.top(made[kind])
    name = f"layouts/stdin-{kind}:1"
    assert pusher.pipe(name, packed.read_bytes()) == root["digest"]
    assert_whole(pusher, name, made[kind], root)


def test_a_hybrid_with_compressed_layers_keeps_its_digest(
    pusher: Pusher, oci_layout: Path, tmp_path: Path
) -> None:
    manifest = json.loads(pushes.blob(oci_layout, pushes.top(oci_layout)["digest"]).read_bytes())
    item = {
        "Config": _member(manifest["config"]),
        "RepoTags": ["sample:1"],
        "Layers": [_member(layer) for layer in manifest["layers"]],
    }
    listed = tmp_path / "manifest.json"
    listed.write_text(json.dumps([item]))
    hybrid = images.archive(oci_layout, tmp_path / "hybrid.tar")
    with tarfile.open(hybrid, "a") as tar:
        tar.add(listed, "manifest.json")
    assert pusher.push("layouts/hybrid:1", hybrid) == pushes.top(oci_layout)["digest"]


def _member(descriptor: Json) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def test_an_oci_archive_of_podman_arrives_as_it_is(
    pusher: Pusher, rootless: Account, tmp_path: Path
) -> None:
    saved = rootless.save(tmp_path / "podman.tar", "sample:1", form="oci-archive")
    (tmp_path / "layout").mkdir()
    output(["tar", "-xf", str(saved), "-C", str(tmp_path / "layout")])
    root = pushes.top(tmp_path / "layout")
    assert pusher.push("layouts/podman:1", saved) == root["digest"]
    assert_whole(pusher, "layouts/podman:1", tmp_path / "layout", root)


def test_a_layout_of_umoci_arrives_as_it_is(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = images.umoci_layout(tmp_path / "umoci", layers[0].path)
    (root,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert pusher.push("layouts/umoci:1", f"{layout}:latest") == root["digest"]
    assert pusher.back("layouts/umoci:1") == pushes.layout_identity(layout)
