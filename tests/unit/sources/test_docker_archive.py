import gzip
import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bed.hostile import LAYER, Member, file, image, tar
from dockless.errors import LostCopyError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import layer_media_type
from dockless.oci.packing import asked
from dockless.oci.platform import Platform
from dockless.sources.docker_archive import ArchiveEntry, UnpackedImage, entries
from dockless.sources.judging import listed_files, lists_images
from dockless.sources.tarball import PlainTar
from dockless.storage.blob_store import BlobStore
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress, FakeTask

OTHER = tar(file("etc/motd", b"goodbye\n"))
LAYERS = (file("1/layer.tar", LAYER), file("2/layer.tar", OTHER))


class Archive:
    """A docker-archive, and the images in it."""

    def __init__(self, folder: Path, staging: Staging) -> None:
        self._path = folder / "image.tar"
        self._staging = staging

    def files(self, *members: Member) -> PlainTar:
        self._path.write_bytes(tar(*members))
        return PlainTar(partial(io.FileIO, self._path), "image.tar", self._staging, FakeProgress())

    def image(self, *members: Member, platform: str = "") -> UnpackedImage:
        files = self.files(*members)
        wanted = Platform.parse(platform) if platform else None
        (entry,) = entries(files)
        assert isinstance(entry, ArchiveEntry)
        return UnpackedImage(files, entry, self._staging, wanted)


@pytest.fixture
def archive(tmp_path: Path, staging: Staging) -> Archive:
    return Archive(tmp_path, staging)


def test_every_entry_of_the_manifest_is_an_image(archive: Archive) -> None:
    listed = [
        {"Config": "./1.json", "RepoTags": ["shop:1", "shop:2"], "Layers": ["1/layer.tar"]},
        {"Config": "2.json", "RepoTags": None, "Layers": None},
    ]
    files = archive.files(file("manifest.json", json.dumps(listed).encode()))
    assert entries(files) == (
        ArchiveEntry("1.json", ("shop:1", "shop:2"), ("1/layer.tar",)),
        ArchiveEntry("2.json", (), ()),
    )


@pytest.mark.parametrize(
    ("config", "tags", "layers"),
    [
        ("config", "repoTags", "layers"),
        ("CONFIG", "REPOTAGS", "LAYERS"),
        ("Config", "repotags", "LayerS"),
    ],
)
def test_the_names_of_members_may_have_any_case_as_docker_reads_them(
    archive: Archive, config: str, tags: str, layers: str
) -> None:
    listed = [{config: "1.json", tags: ["shop:1"], layers: ["1/layer.tar"]}]
    data = json.dumps(listed).encode()
    found = entries(archive.files(file("manifest.json", data)))
    assert found == (ArchiveEntry("1.json", ("shop:1",), ("1/layer.tar",)),)
    assert lists_images(data)
    assert listed_files(data) == ("1.json", "1/layer.tar")


def test_a_member_of_the_very_name_counts_before_one_of_another_case(archive: Archive) -> None:
    listed = [{"config": "2.json", "Config": "1.json", "CONFIG": "3.json"}]
    found = entries(archive.files(file("manifest.json", json.dumps(listed).encode())))
    assert found == (ArchiveEntry("1.json", (), ()),)


@pytest.mark.parametrize(
    "manifest",
    [
        b"not json",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b"[7]",
        b"[" * 100_000,
        b'[{"Layers": []}]',
        b'[{"Config": "1", "Layers": 7}]',
        b'[{"Config": "../1", "Layers": []}]',
    ],
)
def test_a_manifest_of_another_shape_is_refused(archive: Archive, manifest: bytes) -> None:
    with pytest.raises(SourceError, match=r"image\.tar: manifest\.json"):
        entries(archive.files(file("manifest.json", manifest)))


@pytest.mark.parametrize(
    "faulty",
    [
        "null",
        "7",
        '"1.json"',
        "[]",
        "{}",
        '{"Config": null}',
        '{"Config": ["1.json"]}',
        '{"Config": "2.json", "RepoTags": 5}',
        '{"Config": "2.json", "RepoTags": "shop:2"}',
        '{"Config": "2.json", "RepoTags": [null]}',
        '{"Config": "2.json", "Layers": {"0": "a"}}',
        '{"Config": "2.json", "Layers": [1]}',
        '{"Config": "2.json", "Layers": ["../../etc/passwd"]}',
        '{"Config": "/etc/shadow", "Layers": []}',
        f'{{"Config": {"1" * 5000}}}',
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_faulty_entry_of_several_stops_only_itself(
    archive: Archive, faulty: str, *, first: bool
) -> None:
    good = '{"Config": "1.json", "RepoTags": ["shop:1"]}'
    listed = f"[{faulty}, {good}]" if first else f"[{good}, {faulty}]"
    found = entries(archive.files(file("manifest.json", listed.encode())))
    assert found[first] == ArchiveEntry("1.json", ("shop:1",), ())
    fault = found[not first]
    assert isinstance(fault, SourceError)
    assert f"image.tar: manifest.json: [{int(not first)}]" in fault.what
    assert not any(word in str(fault) for word in ("Error(", "object is not", "NoneType"))


def test_layers_are_compressed_and_the_config_stays_as_it_is(archive: Archive) -> None:
    members = image(*LAYERS)
    config = members[-2][1]
    content = archive.image(*members).content()
    paths = archive.image(*members).paths([blob.digest for blob in content.blobs])
    first, base, app = (paths[blob.digest].read_bytes() for blob in content.blobs)
    assert first == config
    assert (gzip.decompress(base), gzip.decompress(app)) == (LAYER, OTHER)
    assert content.image_id == Digest.of(config)
    assert [blob.media_type for blob in content.blobs[1:]] == [layer_media_type("gzip")] * 2
    assert content.platforms == (Platform("linux", "amd64"),)


def test_two_layers_that_are_the_same_are_one_blob(archive: Archive) -> None:
    twice = (file("1/layer.tar", LAYER), file("2/layer.tar", LAYER))
    content = archive.image(*image(*twice)).content()
    assert len(content.blobs) == 2


def test_known_layers_are_not_read_again(
    archive: Archive, store: BlobStore, tmp_path: Path
) -> None:
    with Staging(store, tmp_path / "before", asked("gzip"), 1) as before:
        content = Archive(tmp_path, before).image(*image(*LAYERS)).content()
    again = archive.image(*image(*LAYERS))
    Path(tmp_path / "image.tar").write_bytes(b"")
    assert again.content() == content


def test_a_layer_that_the_store_has_lost_is_compressed_again(
    archive: Archive, store: BlobStore, tmp_path: Path
) -> None:
    with Staging(store, tmp_path / "before", asked("gzip"), 1) as before:
        Archive(tmp_path, before).image(*image(*LAYERS)).content()
    store.prune(1)
    again = archive.image(*image(*LAYERS))
    layer = again.content().blobs[-1].digest
    assert gzip.decompress(again.paths([layer])[layer].read_bytes()) == OTHER


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (image(*LAYERS, names=("1/layer.tar", "3/layer.tar")), "lacks 3/layer.tar"),
        (image(*LAYERS, names=("1/layer.tar",)), "the config lists 2 layers"),
        (image(*LAYERS)[:2] + image(*LAYERS)[3:], "lacks .*json"),
    ],
)
def test_an_image_that_lacks_a_part_is_refused(
    archive: Archive, members: tuple[Member, ...], said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        archive.image(*members)


def test_a_layer_that_is_not_the_configs_is_refused(archive: Archive) -> None:
    wrong = archive.image(*image(*LAYERS, diff_id=str(Digest.of(b"something else"))))
    with pytest.raises(SourceError, match="does not belong to its image"):
        wrong.content()


def test_a_config_that_is_none_is_refused(archive: Archive) -> None:
    entry = json.dumps([{"Config": "c.json", "Layers": []}]).encode()
    with pytest.raises(SourceError, match=r"c\.json is not an image config"):
        archive.image(file("c.json", b"[]"), file("manifest.json", entry))


def test_an_image_without_layers_is_one(archive: Archive) -> None:
    assert len(archive.image(*image()).content().blobs) == 1


def test_the_platform_must_be_the_images(archive: Archive) -> None:
    archive.image(*image(*LAYERS), platform="linux/amd64")
    with pytest.raises(SourceError, match="no image for linux/arm64") as caught:
        archive.image(*image(*LAYERS), platform="linux/arm64")
    assert "linux/amd64" in caught.value.remedy


class Damaging(FakeProgress):
    """Something happens to staged copies whenever a layer begins to be staged."""

    def __init__(self) -> None:
        super().__init__()
        self.happens: Callable[[], object] = list

    def start(self, what: str, total: int | None) -> FakeTask:
        self.happens()
        return super().start(what, total)


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: os.truncate(path, 1), lambda path: os.truncate(path, 0)]
)
def test_a_copy_that_is_cut_while_another_is_staged_is_not_only_called_deleted(
    tmp_path: Path, store: BlobStore, staging: Staging, damage: Callable[[Path], object]
) -> None:
    progress, path = Damaging(), tmp_path / "image.tar"
    path.write_bytes(tar(*image(*LAYERS)))
    files = PlainTar(partial(io.FileIO, path), "image.tar", staging, progress)
    (entry,) = entries(files)
    assert isinstance(entry, ArchiveEntry)
    one = UnpackedImage(files, entry, staging, None)
    blobs = [blob.digest for blob in one.content().blobs]
    first, second = one.content().blobs[-2:]
    staging.settle()

    def copies(digest: Digest) -> list[Path]:
        folders = (tmp_path / "run", store.folder)
        return [each for folder in folders for each in folder.rglob(digest.hex)]

    for each in copies(second.digest):
        each.unlink()
    progress.happens = lambda: [damage(each) for each in copies(first.digest) if each.exists()]
    with pytest.raises(LostCopyError, match=f"{first.digest} was deleted or changed") as caught:
        one.paths(blobs)
    assert "Push" not in caught.value.remedy
