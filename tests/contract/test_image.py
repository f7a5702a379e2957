"""The suite of `ports.Image`: on the fake, and on every kind of image that a source gives."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bed import images
from bed.images import Layer, Layout
from dockless.oci.packing import asked
from dockless.ports import Image
from dockless.sources.archive import candidates, select
from dockless.sources.directory import Folder
from dockless.sources.files import Files
from dockless.sources.streams import read_stream
from dockless.sources.tarball import PlainTar
from dockless.storage.blob_store import BlobStore
from dockless.storage.staging import Staging
from fakes.image import FakeImage
from fakes.progress import FakeProgress


@pytest.fixture(scope="module")
def layout(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Layout(tmp_path_factory.mktemp("layouts") / "single")
    return made.top(made.image(layers, **images.named("1")))


@pytest.fixture(scope="module")
def docker_archive(layout: Path) -> Path:
    path = layout.parent / "docker.tar"
    images.skopeo_copy(f"oci:{layout}:1", f"docker-archive:{path}:shop:1")
    return path


@pytest.fixture(scope="module")
def oci_archive(layout: Path) -> Path:
    return images.archive(layout, layout.parent / "oci.tar")


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[Staging]:
    store = BlobStore(tmp_path / "store")
    with store.run() as folder, Staging(store, folder, asked("gzip"), 2) as area:
        yield area


def _plain(path: Path, staging: Staging) -> Files:
    return PlainTar(partial(io.FileIO, path), "archive", staging, FakeProgress())


def _streamed(path: Path, staging: Staging) -> Files:
    return read_stream(lambda: path.open("rb"), "archive", staging, FakeProgress())


def _folder(path: Path, staging: Staging) -> Files:
    del staging
    return Folder(path, "layout", FakeProgress())


KINDS: dict[str, tuple[str, Callable[[Path, Staging], Files]]] = {
    "docker-archive": ("docker_archive", _plain),
    "streamed docker-archive": ("docker_archive", _streamed),
    "layout": ("layout", _folder),
    "index": ("multi_platform", _folder),
    "oci-archive": ("oci_archive", _plain),
    "streamed oci-archive": ("oci_archive", _streamed),
}


@pytest.fixture(params=["fake", *KINDS])
def image(request: pytest.FixtureRequest, staging: Staging, tmp_path: Path) -> Image:
    if request.param == "fake":
        return FakeImage(tmp_path / "blobs")
    fixture, read = KINDS[request.param]
    files = read(request.getfixturevalue(fixture), staging)
    return select(candidates(files, staging, None), "", "source").open()


def test_the_content_is_the_same_whenever_it_is_asked_for(image: Image) -> None:
    assert image.content() == image.content()


def test_every_document_has_the_digest_that_it_stands_under(image: Image) -> None:
    content = image.content()
    assert content.root.digest in content.documents
    assert len(content.documents[content.root.digest]) == content.root.size
    assert all(digest.matches(data) for digest, data in content.documents.items())


def test_the_config_comes_first_of_an_image_and_is_its_id(image: Image) -> None:
    content = image.content()
    if len(content.documents) == 1:
        assert content.image_id == content.blobs[0].digest
    assert content.configs() <= {blob.digest for blob in content.blobs}


def test_each_blob_comes_as_a_file_of_its_size_and_digest(image: Image) -> None:
    blobs = {blob.digest: blob for blob in image.content().blobs}
    paths = image.paths(list(blobs))
    assert paths.keys() == blobs.keys()
    for digest, path in paths.items():
        assert path.stat().st_size == blobs[digest].size
        assert digest.matches(path.read_bytes())


def test_only_the_blobs_that_were_asked_for_come(image: Image) -> None:
    last = image.content().blobs[-1].digest
    assert image.paths([last]).keys() == {last}
    assert not image.paths([])


def test_the_platforms_are_known(image: Image) -> None:
    assert {platform.os for platform in image.content().platforms} == {"linux"}
