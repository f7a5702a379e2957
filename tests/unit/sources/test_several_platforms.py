"""Some platforms of an image: an index that lists these alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bed.hostile import LAYER, file, tar
from bed.images import Json, Layer, Layout, digest, named
from dockless.errors import SourceError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.platform import Platform
from dockless.sources.archive import candidates
from dockless.sources.directory import Folder
from dockless.sources.oci_layout import CarriedImage
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress

ARCHES = ("amd64", "arm64/v8", "s390x", "arm/v7", "arm/v6")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, list[Layer]]:
    """A layer for each platform."""
    found = {}
    for number, arch in enumerate(ARCHES):
        data = tar(file(f"etc/{number}", LAYER))
        (tmp_path / f"layer{number}").write_bytes(data)
        found[arch] = [Layer(tmp_path / f"layer{number}", digest(data))]
    return found


def chosen(layout: Layout, staging: Staging, *wanted: str) -> Content:
    files = Folder(layout.folder, "layout", FakeProgress(), staging.on_layer)
    several = tuple(map(Platform.parse, wanted))
    (found,) = candidates(files, staging, None, CarriedImage, several)
    image = found.open()
    content = image.content()
    image.paths([blob.digest for blob in content.blobs])
    return content


def document(layout: Layout, descriptor: Json) -> Json:
    found: Json = json.loads(path(layout, descriptor).read_bytes())
    return found


def path(layout: Layout, descriptor: Json) -> Path:
    return layout.folder / "blobs" / str(descriptor["digest"]).replace(":", "/")


def listed(content: Content) -> list[str]:
    index = json.loads(content.documents[content.root.digest])
    return [each["digest"] for each in index["manifests"]]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (("linux/amd64", "linux/arm64"), (0, 1)),
        (("linux/s390x", "linux/amd64"), (0, 2)),
        (("linux/s390x", "linux/arm64/v8", "linux/amd64"), (0, 1, 2)),
        (("linux/amd64", "linux/arm"), (0, 3, 4)),
        (("linux/amd64", "linux/arm/v6"), (0, 4)),
    ],
)
def test_an_index_of_the_chosen_platforms_is_made(
    layout: Layout,
    staging: Staging,
    parts: dict[str, list[Layer]],
    wanted: Sequence[str],
    kept: Sequence[int],
) -> None:
    root = layout.platforms(parts, **named("v1"))
    layout.top(root)
    whole = document(layout, root)
    content = chosen(layout, staging, *wanted)
    data = content.documents[content.root.digest]
    assert content.root.digest == Digest.of(data)
    assert content.root.size == len(data)
    assert str(content.root.digest) != root["digest"]
    assert content.root.media_type == root["mediaType"]
    entries = [whole["manifests"][number] for number in kept]
    assert json.loads(data) == whole | {"manifests": entries}
    assert set(map(str, content.documents)) == {
        str(content.root.digest),
        *(each["digest"] for each in entries),
    }
    assert len(content.platforms) == len(kept)
    assert content == chosen(layout, staging, *reversed(wanted)), "the order changes nothing"


@pytest.mark.parametrize("wanted", [ARCHES, (*ARCHES, "arm64", "arm")])
def test_an_index_with_no_other_platforms_stays_as_it_is(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]], wanted: Sequence[str]
) -> None:
    root = layout.platforms(parts, **named("v1"))
    layout.top(root)
    content = chosen(layout, staging, *(f"linux/{each}" for each in wanted))
    assert str(content.root.digest) == root["digest"]


@pytest.mark.parametrize("lacking", ["linux/riscv64", "windows/amd64", "linux/arm/v5"])
def test_a_platform_that_is_not_there_is_an_error_that_lists_what_is(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]], lacking: str
) -> None:
    layout.top(layout.platforms(parts))
    with pytest.raises(SourceError, match=f"no image for {lacking}") as caught:
        chosen(layout, staging, "linux/amd64", lacking)
    assert "linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64" in caught.value.remedy


def test_an_image_of_one_platform_lacks_the_others(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]]
) -> None:
    image = layout.image(parts["amd64"])
    layout.top(image)
    with pytest.raises(SourceError, match="no image for linux/arm64") as caught:
        chosen(layout, staging, "linux/amd64", "linux/arm64")
    assert caught.value.remedy == "It has: linux/amd64."


def test_attestations_stay_with_their_images(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]]
) -> None:
    images = [
        layout.image(parts[arch], platform={"os": "linux", "architecture": arch})
        for arch in ("amd64", "s390x")
    ]
    unknown = {"os": "unknown", "architecture": "unknown"}
    about = [
        layout.image(
            parts["arm/v6"],
            annotations={"vnd.docker.reference.digest": each["digest"], "number": str(number)},
            platform=unknown,
        )
        for number, each in enumerate(images)
    ]
    third = layout.image(
        parts["arm64/v8"], platform={"os": "linux", "architecture": "arm64", "variant": "v8"}
    )
    layout.top(layout.index(*images, *about, third))
    content = chosen(layout, staging, "linux/amd64", "linux/arm64")
    kept = [images[0]["digest"], about[0]["digest"], third["digest"]]
    assert listed(content) == kept


def test_an_index_in_an_index_lists_the_chosen_platforms(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]]
) -> None:
    inner = layout.platforms({each: parts[each] for each in ("amd64", "s390x")})
    other = layout.platforms({"arm/v7": parts["arm/v7"]})
    outer = layout.platforms({"arm64/v8": parts["arm64/v8"]})
    layout.top(layout.index(inner, other, outer))
    content = chosen(layout, staging, "linux/amd64", "linux/arm64")
    first, second = listed(content)
    assert second == outer["digest"]
    assert first != inner["digest"]
    assert len(json.loads(content.documents[Digest.parse(first)])["manifests"]) == 1
    assert [str(each) for each in content.platforms] == ["linux/amd64", "linux/arm64"]


def test_an_index_need_not_hold_what_is_not_chosen(
    layout: Layout, staging: Staging, parts: dict[str, list[Layer]]
) -> None:
    root = layout.platforms(parts)
    layout.top(root)
    whole = document(layout, root)
    path(layout, whole["manifests"][2]).unlink()
    content = chosen(layout, staging, "linux/amd64", "linux/arm64")
    assert len(listed(content)) == 2
