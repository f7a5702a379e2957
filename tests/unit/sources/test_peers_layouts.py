"""Layouts that crane, skopeo and oras push, though they are odd."""

import bz2
import gzip
import io
import itertools
import json
import lzma
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard

from bed.hostile import LAYER, file, tar
from bed.images import CONFIG, GZIP_LAYER, MANIFEST, Layer, Layout, archive, digest, named
from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import layer_media_type
from dockless.oci.platform import Platform
from dockless.ports import Image
from dockless.sources.archive import candidates, for_platform, select
from dockless.sources.directory import Folder
from dockless.sources.files import Files
from dockless.sources.streams import read_stream
from dockless.sources.tarball import PlainTar
from dockless.storage.checks import mislabelled
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress

SECOND = tar(file("etc/issue", b"second\n"))
ARM = Platform("linux", "arm64")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def as_folder(folder: Path, staging: Staging) -> Files:
    return Folder(folder, "layout", FakeProgress(), staging.on_layer)


def as_tar(folder: Path, staging: Staging) -> Files:
    path = archive(folder, folder.with_suffix(".tar"))
    return PlainTar(partial(io.FileIO, path), "archive", staging, FakeProgress())


def as_stream(folder: Path, staging: Staging) -> Files:
    path = archive(folder, folder.with_suffix(".tar"))
    return read_stream(lambda: path.open("rb"), "stream", staging, FakeProgress())


READERS = {"folder": as_folder, "tar": as_tar, "stream": as_stream}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture
def parts(tmp_path: Path) -> list[Layer]:
    (tmp_path / "layer").write_bytes(LAYER)
    return [Layer(tmp_path / "layer", digest(LAYER))]


def everything(image: Image) -> Mapping[Digest, Path]:
    """Return a file for each of an image's blobs."""
    return image.paths([blob.digest for blob in image.content().blobs])


def config_of(*plain: bytes) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(each) for each in plain]}
    return json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode()


def made(layout: Layout, config: bytes, layers: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Write an image with exactly this config and these layers."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": layout.blob(config, CONFIG),
        "layers": layers,
    }
    return layout.document(document, **more)


@pytest.mark.parametrize(
    ("reader", "actual"),
    [
        *itertools.product(READERS, ("none", "gzip", "zstd")),
        # which of a stream's blobs are layers, that may be packed otherwise, is known too late
        *itertools.product(("folder", "tar"), ("xz", "bzip2")),
    ],
)
@pytest.mark.parametrize("label", ["none", "gzip", "zstd"])
def test_a_layer_is_what_its_bytes_are_whatever_its_media_type_says(
    layout: Layout, staging: Staging, reader: str, label: str, actual: str
) -> None:
    data = PACKERS[actual](LAYER)
    listed = layout.blob(data, layer_media_type(label))
    layout.top(made(layout, config_of(LAYER), [listed]))
    (found,) = candidates(READERS[reader](layout.folder, staging), staging, None)
    image = found.open()
    (layer,) = (each for each in image.content().blobs if str(each.digest) == listed["digest"])
    path = image.paths([layer.digest])[layer.digest]
    assert path.read_bytes() == data
    assert mislabelled(path, layer) == ("" if label == actual else actual)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("actual", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("label", ["none", "gzip", "zstd"])
def test_a_layer_of_another_image_is_refused_however_it_is_labelled(
    layout: Layout, staging: Staging, reader: str, label: str, actual: str
) -> None:
    listed = layout.blob(PACKERS[actual](LAYER), layer_media_type(label))
    layout.top(made(layout, config_of(SECOND), [listed]))
    (found,) = candidates(READERS[reader](layout.folder, staging), staging, None)
    with pytest.raises(SourceError, match="does not belong to its image"):
        everything(found.open())


def test_the_digest_of_what_is_compressed_is_no_diff_id(layout: Layout, staging: Staging) -> None:
    packed = gzip.compress(LAYER, mtime=0)
    layout.top(made(layout, config_of(packed), [layout.blob(packed, GZIP_LAYER)]))
    (found,) = candidates(as_folder(layout.folder, staging), staging, None)
    image = found.open()
    with pytest.raises(SourceError, match="does not belong to its image"):
        everything(image)


@pytest.mark.parametrize("kind", ["+encrypted", ".squashfs", "+gzip+encrypted"])
@pytest.mark.parametrize("place", [0, 1])
def test_of_a_partly_encrypted_image_the_other_layers_are_compared(
    layout: Layout, staging: Staging, kind: str, place: int
) -> None:
    def layers(plain: bytes) -> list[dict[str, Any]]:
        known = layout.blob(gzip.compress(plain, mtime=0), GZIP_LAYER)
        other = layout.blob(b"secret", f"application/vnd.oci.image.layer.v1.tar{kind}")
        return [known, other] if place else [other, known]

    plain = (LAYER, SECOND) if place else (SECOND, LAYER)
    good = made(layout, config_of(*plain), layers(LAYER), **named("good"))
    bad = made(layout, config_of(*plain), layers(b"another"), **named("bad"))
    layout.top(good, bad)
    found = candidates(as_folder(layout.folder, staging), staging, None)
    image = found[0].open()
    assert len(everything(image)) == 3
    image = found[1].open()
    with pytest.raises(SourceError, match="does not belong"):
        everything(image)


@pytest.mark.parametrize("config", [b"{}", b'{"rootfs": null}', b'{"any": ["thing"]}'])
@pytest.mark.parametrize("packer", ["none", "gzip"])
def test_a_config_that_says_nothing_of_layers_is_pushed(
    layout: Layout, staging: Staging, config: bytes, packer: str
) -> None:
    listed = layout.blob(PACKERS[packer](LAYER), layer_media_type(packer))
    layout.top(root := made(layout, config, [listed]))
    (found,) = candidates(as_folder(layout.folder, staging), staging, ARM)
    image = found.open()
    assert str(image.content().root.digest) == root["digest"]
    assert image.content().platforms == ()
    assert len(everything(image)) == 2


def test_layers_may_be_null_where_the_config_has_none(layout: Layout, staging: Staging) -> None:
    layout.top(made(layout, config_of(), None))
    (found,) = candidates(as_folder(layout.folder, staging), staging, None)
    assert len(found.open().content().blobs) == 1


@pytest.mark.parametrize("layers", [None, []])
def test_layers_that_the_config_has_and_the_manifest_lacks_are_missed(
    layout: Layout, staging: Staging, layers: object
) -> None:
    layout.top(made(layout, config_of(LAYER), layers))
    (found,) = candidates(as_folder(layout.folder, staging), staging, None)
    with pytest.raises(SourceError, match="lists 1 layer, but its manifest lists 0"):
        found.open().content()


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("platform", [None, ARM])
def test_an_index_that_is_called_a_manifest_is_an_index(
    layout: Layout, staging: Staging, parts: list[Layer], depth: int, platform: Platform | None
) -> None:
    root = layout.platforms({"amd64": parts, "arm64": parts})
    for _ in range(depth):
        root = layout.index({**root, "mediaType": MANIFEST})
    layout.top({**root, "mediaType": MANIFEST} if not depth else root)
    (found,) = candidates(as_folder(layout.folder, staging), staging, platform)
    content = found.open().content()
    assert content.root.media_type == (MANIFEST if platform else root["mediaType"])
    assert len(content.documents) == (1 if platform else 3 + depth)


def test_an_index_without_platforms_is_searched_by_its_configs(
    layout: Layout, staging: Staging, parts: list[Layer]
) -> None:
    children = [layout.image(parts, name) for name in ("amd64", "arm64", "s390x")]
    layout.top(layout.index(layout.referrer(children[0], b"sbom"), *children))
    files = as_folder(layout.folder, staging)
    (found,) = candidates(files, staging, ARM)
    assert str(found.open().content().root.digest) == children[1]["digest"]
    (found,) = candidates(files, staging, Platform("linux", "riscv64"))
    with pytest.raises(SourceError, match="no image for linux/riscv64") as caught:
        found.open()
    assert "linux/amd64, linux/arm64, linux/s390x" in caught.value.remedy


@pytest.mark.parametrize("tags", [("1", "1"), ("1", "2"), ("", "")])
def test_one_platform_of_a_flat_layout_is_chosen(
    layout: Layout, staging: Staging, parts: list[Layer], tags: tuple[str, str]
) -> None:
    roots = [
        layout.image(parts, arch, **(named(tag) if tag else {}))
        for arch, tag in zip(("amd64", "arm64"), tags, strict=True)
    ]
    layout.top(*roots)
    found = candidates(as_folder(layout.folder, staging), staging, ARM)
    assert str(select(found, "", "layout", ARM).open().content().root.digest) == roots[1]["digest"]
    namesakes = tags[0] == tags[1]
    assert len(for_platform(found, ARM)) == (1 if namesakes else 2)
    with pytest.raises(SourceError, match="no image for linux/s390x") as caught:
        select(found, "", "layout", Platform("linux", "s390x"))
    assert "linux/amd64, linux/arm64" in caught.value.remedy
    with pytest.raises(SourceError, match=r"@0 .* for linux/amd64; @1 .* for linux/arm64") as said:
        select(found, "", "layout")
    assert "by --platform or as in layout:NAME" in said.value.remedy


@pytest.mark.parametrize("wanted", ["linux/arm/v7", "linux/arm"])
def test_the_variant_of_a_flat_layout_is_the_descriptors(
    layout: Layout, staging: Staging, parts: list[Layer], wanted: str
) -> None:
    variants = ({"variant": "v6"}, {"variant": "v7"}) if wanted.endswith("v7") else ({},)
    roots = [
        layout.image(parts, "arm", platform={"os": "linux", "architecture": "arm", **each})
        for each in variants
    ]
    layout.top(*roots)
    platform = Platform.parse(wanted)
    found = candidates(as_folder(layout.folder, staging), staging, platform)
    chosen = select(found, "", "layout", platform).open()
    assert str(chosen.content().root.digest) == roots[-1]["digest"]
