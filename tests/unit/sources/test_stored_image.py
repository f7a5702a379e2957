import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bed.hostile import LAYER, file, tar
from bed.images import Json, Layer, Layout, archive, digest
from dockless.errors import AbsentError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.packing import asked
from dockless.oci.platform import Platform
from dockless.processes.programs import ProgramsHere
from dockless.sources.container_tools import ContainerTool
from dockless.sources.local import ToolImage
from dockless.sources.local_images import LocalImage
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import ReadableStream
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress

OTHER = tar(file("etc/motd", b"goodbye\n"))


class Store(ContainerTool):
    """Docker with containerd's store, and one image in it; `save` writes a layout as it is."""

    def __init__(self, layout: Layout, root: Json) -> None:
        super().__init__("docker", ProgramsHere({}))
        self.saved = 0
        self.folder = layout.top(root)
        self.found = LocalImage(
            tool="docker", name="shop:1", image_id=Digest.parse(root["digest"]), as_stored=True
        )

    @contextlib.contextmanager
    def save(self, image: LocalImage) -> Iterator[ReadableStream]:
        assert image == self.found
        self.saved += 1
        path = archive(self.folder, self.folder.with_suffix(".tar"))
        yield io.BytesIO(path.read_bytes())

    def lose(self, name: str) -> None:
        (self.folder / "blobs" / name.replace(":", "/")).unlink()

    def image(
        self, staging: Staging, platform: str = "", progress: FakeProgress | None = None
    ) -> ToolImage:
        wanted = Platform.parse(platform) if platform else None
        return ToolImage(self, self.found, staging, progress or FakeProgress(), wanted)


def everything(image: ToolImage) -> Mapping[Digest, Path]:
    """Return a file for each of an image's blobs."""
    return image.paths([blob.digest for blob in image.content().blobs])


@pytest.fixture
def parts(tmp_path: Path) -> list[Layer]:
    paths = [(tmp_path / "one", LAYER), (tmp_path / "other", OTHER)]
    for path, data in paths:
        path.write_bytes(data)
    return [Layer(path, digest(data)) for path, data in paths]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "saved")


def platforms(layout: Layout, parts: list[Layer]) -> Json:
    return layout.platforms({"amd64": parts[:1], "arm64/v8": parts[1:]})


def own(layout: Layout, root: Json, position: int) -> tuple[Json, list[str]]:
    """Return one of an index's descriptors, and the digests of its layers and config."""
    index = json.loads((layout.folder / "blobs" / root["digest"].replace(":", "/")).read_text())
    child = index["manifests"][position]
    manifest = json.loads((layout.folder / "blobs" / child["digest"].replace(":", "/")).read_text())
    return child, [*(each["digest"] for each in manifest["layers"]), manifest["config"]["digest"]]


@pytest.mark.parametrize("compressed", [True, False])
def test_an_image_keeps_its_digest_and_its_layers(
    staging: Staging,
    progress: FakeProgress,
    layout: Layout,
    parts: list[Layer],
    *,
    compressed: bool,
) -> None:
    store = Store(layout, layout.image(parts, compressed=compressed))
    image = store.image(staging, progress=progress)
    content = image.content()
    assert content.root.digest == store.found.image_id
    assert not image.digest_is_new
    paths = everything(image)
    assert all(name.matches(path.read_bytes()) for name, path in paths.items())
    assert len(paths) == 3
    assert ["uncompressed layers" in note for note in progress.notes] == [True] * (not compressed)


def test_layers_that_are_not_compressed_are_offered_as_they_are(
    staging: Staging, layout: Layout, parts: list[Layer]
) -> None:
    offered: list[Digest] = []
    staging.on_layer = lambda blob, _: offered.append(blob.digest)
    content = Store(layout, layout.image(parts, compressed=False)).image(staging).content()
    assert set(offered) == {blob.digest for blob in content.blobs}
    assert {Digest.of(LAYER), Digest.of(OTHER)} < set(offered)


def test_what_is_not_known_to_be_as_stored_is_found_to_be(
    staging: Staging, layout: Layout, parts: list[Layer]
) -> None:
    store = Store(layout, layout.image(parts, compressed=False))
    store.found = LocalImage(tool="docker", name="shop:1", image_id=store.found.image_id)
    content = store.image(staging).content()
    assert content.root.digest == store.found.image_id


@pytest.mark.parametrize("compressed", [True, False])
def test_a_layer_of_another_diff_id_is_refused(
    staging: Staging, layout: Layout, parts: list[Layer], *, compressed: bool
) -> None:
    wrong = [Layer(parts[0].path, digest(b"something else"))]
    image = Store(layout, layout.image(wrong, compressed=compressed)).image(staging)
    with pytest.raises(SourceError, match="does not belong to its image"):
        image.content()


@pytest.mark.parametrize("platform", ["", "linux/arm64"])
def test_an_image_that_was_saved_before_is_not_saved_again(
    staging: Staging,
    store: BlobStore,
    layout: Layout,
    parts: list[Layer],
    tmp_path: Path,
    platform: str,
) -> None:
    docker = Store(layout, platforms(layout, parts))
    with Staging(store, tmp_path / "before", asked("gzip"), 1) as before:
        content = docker.image(before, platform).content()
    again = docker.image(staging, platform)
    assert again.content() == content
    assert not again.digest_is_new
    assert len(everything(again)) == len(content.blobs)
    assert docker.saved == 1


def test_a_platform_of_an_index_that_was_saved_before_is_known(
    staging: Staging, layout: Layout, parts: list[Layer]
) -> None:
    docker = Store(layout, root := platforms(layout, parts))
    docker.image(staging).content()
    arm, _ = own(layout, root, 1)
    assert str(docker.image(staging, "linux/arm64").content().root.digest) == arm["digest"]
    assert docker.saved == 1


@pytest.mark.parametrize("whole", [True, False])
def test_a_platform_whose_blobs_are_not_there_is_named(
    staging: Staging, layout: Layout, parts: list[Layer], *, whole: bool
) -> None:
    docker = Store(layout, root := platforms(layout, parts))
    arm, blobs = own(layout, root, 1)
    for name in (*blobs, arm["digest"]) if whole else blobs[:1]:
        docker.lose(name)
    with pytest.raises(SourceError, match="lacks blobs of it for linux/arm64/v8") as caught:
        everything(docker.image(staging))
    assert caught.value.remedy.startswith("Push what is there with --platform linux/amd64.")
    assert "'docker pull --platform linux/arm64/v8 shop:1'" in caught.value.remedy
    assert len(everything(docker.image(staging, "linux/amd64"))) == 2


def test_an_image_without_its_layers_is_to_be_pulled(
    staging: Staging, layout: Layout, parts: list[Layer]
) -> None:
    docker = Store(layout, root := layout.image(parts))
    manifest = json.loads((layout.folder / "blobs" / root["digest"].replace(":", "/")).read_text())
    docker.lose(manifest["layers"][0]["digest"])
    image = docker.image(staging)
    content = image.content()
    assert image.paths([content.blobs[0].digest]), "the config is there"
    with pytest.raises(AbsentError, match="never fetched") as caught:
        everything(image)
    assert "'docker pull shop:1'" in caught.value.remedy
    assert "--platform" not in caught.value.remedy


def test_an_image_that_is_damaged_is_not_said_to_be_incomplete(
    staging: Staging, layout: Layout, parts: list[Layer]
) -> None:
    docker = Store(layout, root := platforms(layout, parts))
    arm, _ = own(layout, root, 1)
    (layout.folder / "blobs" / arm["digest"].replace(":", "/")).write_text("{")
    with pytest.raises(SourceError, match="is damaged"):
        docker.image(staging).content()
