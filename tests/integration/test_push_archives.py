"""Docker-archives of every kind: what dockless pushed comes back as the image in the archive."""

import json
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images, pushes
from bed.docker import Docker
from bed.dockless import Dockless
from bed.failures import complaint, tags
from bed.fixtures import SAMPLE
from bed.images import Compression, Layer
from bed.pushes import Pusher
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

SOURCE = 3
KINDS = ("old", "podman", "hybrid", "skopeo")


@pytest.fixture
def pusher(program: Dockless, locked_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, locked_registry, tmp_path)


@pytest.fixture(scope="session")
def skopeo_archive(oci_layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "skopeo.tar"
    images.skopeo_copy(f"oci:{oci_layout}:1", f"docker-archive:{path}:{SAMPLE}")
    return path


@pytest.fixture
def archive(kind: str, request: pytest.FixtureRequest) -> Path:
    """The archive of this kind."""
    return Path(request.getfixturevalue(f"{kind}_archive"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_arrives(pusher: Pusher, archive: Path, kind: str) -> None:
    name = f"archives/{kind}:1"
    digest = pusher.push(name, archive)
    assert pusher.arrived(name) == (digest, pushes.archive_identity(archive))
    assert pushes.layer_types(pusher.manifest(name)) == {images.GZIP_LAYER}


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_arrives_through_standard_input(
    pusher: Pusher, archive: Path, kind: str
) -> None:
    name = f"archives/stdin-{kind}:1"
    digest = pusher.pipe(name, archive.read_bytes())
    assert pusher.arrived(name) == (digest, pushes.archive_identity(archive))


@pytest.mark.parametrize(
    ("closed", "code"), [("<&-", 0), ("2>&-", 0), (">&-", 1), ("<&- >&- 2>&-", 1)]
)
def test_streams_that_are_closed_from_the_start_are_not_missed(
    program: Dockless, registry: Registry, old_archive: Path, closed: str, code: int
) -> None:
    started = replace(program, before=("sh", "-c", f'exec "$0" "$@" {closed}'))
    target = f"{registry.host}/archives/closed:1"
    pushed = started.run("push", old_archive, "--image", target)
    assert (pushed.code, bool(pushed.stdout)) == (code, code == 0)
    assert program.run("push", old_archive, "--image", target).stderr.count("already there") == 1
    if closed.startswith("<"):
        assert started.run("push", "-", "--image", target).code == SOURCE


@pytest.mark.parametrize("how", ["itself", "link", "hard link", "another file"])
def test_a_digest_file_does_not_replace_an_archive(
    program: Dockless, registry: Registry, old_archive: Path, tmp_path: Path, how: str
) -> None:
    archive = path = tmp_path / "image.tar"
    shutil.copy(old_archive, archive)
    if how == "link":
        path = tmp_path / "link"
        path.symlink_to(archive)
    elif how == "hard link":
        path = tmp_path / "second"
        path.hardlink_to(archive)
    elif how == "another file":
        path = tmp_path / "notes"
        path.write_text("precious\n")
    before = path.read_bytes()
    target = f"{registry.host}/archives/{how.replace(' ', '-')}:1"
    done = program.run("push", archive, "--image", target, "--digest-file", path)
    assert "something other than digests" in complaint(done, 2)
    assert path.read_bytes() == before
    assert not tags(registry, f"archives/{how.replace(' ', '-')}")


@pytest.mark.parametrize(
    ("kind", "how"), [("old", "gzip"), ("podman", "bzip2"), ("hybrid", "xz"), ("skopeo", "zstd")]
)
def test_a_compressed_archive_arrives(
    pusher: Pusher, archive: Path, kind: str, how: Compression, tmp_path: Path
) -> None:
    copy = tmp_path / f"{kind}.tar"
    copy.symlink_to(archive)
    packed = images.compressed(copy, how)
    source = pushes.archive_identity(archive)
    digest = pusher.push(f"archives/{how}:1", packed)
    assert pusher.arrived(f"archives/{how}:1") == (digest, source)
    assert pusher.pipe(f"archives/stdin-{how}:1", packed.read_bytes()) == digest


@pytest.mark.parametrize("kind", ["old", "podman", "hybrid"])
def test_an_archive_whose_names_begin_with_a_dot_arrives(
    pusher: Pusher, archive: Path, kind: str, tmp_path: Path
) -> None:
    dotted = images.dotted(archive, tmp_path / "dotted.tar")
    name = f"archives/dotted-{kind}:1"
    digest = pusher.push(name, dotted)
    assert pusher.arrived(name) == (digest, pushes.archive_identity(archive))


def test_skopeos_transport_names_an_archive(pusher: Pusher, old_archive: Path) -> None:
    name = "archives/transport:1"
    digest = pusher.push(name, f"docker-archive:{old_archive}:{SAMPLE}")
    assert pusher.arrived(name) == (digest, pushes.archive_identity(old_archive))


@pytest.mark.parametrize(
    ("compression", "media_type"),
    [("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"), ("none", images.PLAIN_LAYER)],
)
def test_layers_become_what_compression_says(
    pusher: Pusher, old_archive: Path, compression: str, media_type: str
) -> None:
    name = f"archives/as-{compression}:1"
    digest = pusher.push(name, old_archive, "--compression", compression)
    assert pushes.layer_types(pusher.manifest(name)) == {media_type}
    assert pusher.arrived(name) == (digest, pushes.archive_identity(old_archive))


def test_the_digest_is_the_same_wherever_it_is_made(
    pusher: Pusher, old_archive: Path, tmp_path: Path
) -> None:
    first = pusher.push("archives/here:1", old_archive)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    one_core = min(os.sched_getaffinity(0))
    extra = {**pusher.program.extra, "DOCKLESS_CACHE_DIR": str(elsewhere)}
    alone = Pusher(Dockless(pusher.program.folder, extra), pusher.registry, tmp_path)
    every_core = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {one_core})
    try:
        second = alone.push("archives/there:1", old_archive)
    finally:
        os.sched_setaffinity(0, every_core)
    assert (elsewhere / str(os.geteuid()) / "blobs").exists()
    here, there = (pusher.manifest(f"archives/{name}:1") for name in ("here", "there"))
    assert json.loads(here) == json.loads(there)
    assert first == second


@pytest.fixture(scope="module")
def several(
    old_docker: Docker, locked_registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An archive of the sample, as `several/one:1`, and of its base, as `several/two:1`."""
    names = [f"{locked_registry.host}/several/{name}:1" for name in ("one", "two")]
    old_docker.run("tag", SAMPLE, names[0])
    old_docker.run("tag", "dockless-base:1", names[1])
    return old_docker.save(tmp_path_factory.mktemp("archives") / "several.tar", *names)


def positions(several: Path) -> dict[str, int]:
    """Return where in the archive each image is, by the last part of its name."""
    with tarfile.open(several) as tar:
        file = tar.extractfile("manifest.json")
        listed = json.load(file) if file else []
    return {item["RepoTags"][0].split("/")[-1]: number for number, item in enumerate(listed)}


@pytest.mark.parametrize("wanted", ["one:1", "two:1"])
def test_one_image_of_several_is_chosen_by_its_name(
    pusher: Pusher, several: Path, wanted: str
) -> None:
    source = pushes.archive_identity(several, positions(several)[wanted])
    selector = pusher.reference(f"several/{wanted}")
    digest = pusher.push(f"archives/chosen-{wanted}", f"{several}:{selector}")
    assert pusher.arrived(f"archives/chosen-{wanted}") == (digest, source)


@pytest.mark.parametrize("position", [0, 1])
def test_one_image_of_several_is_chosen_by_its_position(
    pusher: Pusher, several: Path, position: int
) -> None:
    name = f"archives/position-{position}:1"
    digest = pusher.push(name, f"{several}:@{position}")
    assert pusher.arrived(name) == (digest, pushes.archive_identity(several, position))


@pytest.mark.parametrize("selector", ["", ":@2", ":one:2"])
def test_an_image_that_is_not_chosen_clearly_is_an_error_that_lists_them(
    pusher: Pusher, several: Path, selector: str
) -> None:
    result = pusher.run("archives/unclear:1", f"{several}{selector}")
    assert (result.code, result.stdout) == (3, "")
    for position, name in enumerate(positions(several)):
        assert f"@{position} {pusher.reference(f'several/{name}')}" in result.stderr
    assert not (
        pusher.registry.storage / "docker/registry/v2/repositories/archives/unclear"
    ).exists()


def test_all_images_go_where_their_names_say(pusher: Pusher, several: Path) -> None:
    options, password = pushes.access(pusher.registry)
    result = pusher.program.run("push", several, "--all", *options, stdin=password)
    lines = []
    for name, position in positions(several).items():
        digest = pusher.digest(f"several/{name}")
        lines.append(f"{pusher.reference('several/' + name.partition(':')[0])}@{digest}")
        assert pusher.back(f"several/{name}") == pushes.archive_identity(several, position)
    assert (result.code, result.stdout) == (0, "\n".join(lines) + "\n")


def test_all_images_as_json(pusher: Pusher, several: Path) -> None:
    options, password = pushes.access(pusher.registry)
    argv = ("push", several, "--all", "--format", "json", *options)
    result = pusher.program.run(*argv, stdin=password)
    listed = pushes.document(result.stdout)["images"]
    found = {each["image"]: each["result"]["digest"] for each in listed}
    names = [f"several/{name}" for name in positions(several)]
    assert found == {pusher.reference(name): pusher.digest(name) for name in names}


@pytest.fixture(scope="module")
def doubled(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A docker-archive of three layers, of which the last is the first again, as skopeo has it."""
    folder = tmp_path_factory.mktemp("doubled")
    layout = images.Layout(folder / "layout")
    base, programs, _ = layers
    layout.top(layout.image([base, programs, base], **images.named("1")))
    images.skopeo_copy(f"oci:{layout.folder}:1", f"docker-archive:{folder}/doubled.tar:doubled:1")
    return folder / "doubled.tar"


def relinked(archive: Path, path: Path, kind: bytes) -> Path:
    """Copy an archive, a link of this kind in place of the last layer, to a copy of the first."""
    with tarfile.open(archive) as old, tarfile.open(path, "w") as new:
        manifest = old.extractfile("manifest.json")
        listed = json.load(manifest) if manifest else []
        first = listed[0]["Layers"][0]
        for member in old:
            if member.isfile() and member.name != "manifest.json":
                new.addfile(member, old.extractfile(member))
        link = tarfile.TarInfo("again/layer.tar")
        link.type = kind
        link.linkname = first if kind == tarfile.LNKTYPE else f"../{first}"
        new.addfile(link)
        listed[0]["Layers"][-1] = link.name
        images_json = path.with_suffix(".json")
        images_json.write_text(json.dumps(listed))
        new.add(images_json, "manifest.json")
    return path


def test_an_image_that_has_a_layer_twice_arrives(pusher: Pusher, doubled: Path) -> None:
    digest = pusher.push("archives/doubled:1", doubled)
    source = pushes.archive_identity(doubled)
    assert len(source.diff_ids) == 3
    assert pusher.arrived("archives/doubled:1") == (digest, source)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE], ids=["symbolic", "hard"])
def test_a_layer_that_is_a_link_to_another_arrives(
    pusher: Pusher, doubled: Path, kind: bytes, tmp_path: Path
) -> None:
    linked = relinked(doubled, tmp_path / "linked.tar", kind)
    source = pushes.archive_identity(doubled)
    digest = pusher.push("archives/linked:1", linked)
    assert pusher.arrived("archives/linked:1") == (digest, source)
    assert pusher.pipe("archives/stdin-linked:1", linked.read_bytes()) == digest


def test_docker_save_links_a_layer_that_an_image_has_twice(
    pusher: Pusher, old_docker: Docker, doubled: Path, tmp_path: Path
) -> None:
    old_docker.run("load", "--input", doubled)
    saved = old_docker.save(tmp_path / "saved.tar", "doubled:1")
    with tarfile.open(saved) as tar:
        assert any(member.issym() for member in tar)
    digest = pusher.push("archives/docker-linked:1", saved)
    assert pusher.arrived("archives/docker-linked:1") == (digest, pushes.archive_identity(saved))
