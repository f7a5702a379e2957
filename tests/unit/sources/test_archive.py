import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bed.hostile import LAYER, file, image, tar
from bed.images import Layer, Layout, digest, named
from dockless.errors import SourceError
from dockless.model.lock import FILE as LOCK
from dockless.oci.digest import Digest
from dockless.sources.archive import Candidate, agreed, candidates, select
from dockless.sources.directory import Folder
from dockless.sources.tarball import PlainTar
from dockless.storage.staging import Staging
from fakes.image import FakeImage
from fakes.progress import FakeProgress


def candidate(tmp_path: Path, *names: str) -> Candidate:
    return Candidate(names=names, open=lambda: FakeImage(tmp_path))


@pytest.fixture
def several(tmp_path: Path) -> list[Candidate]:
    return [
        candidate(tmp_path, "shop:1", "docker.io/acme/shop:latest"),
        candidate(tmp_path, "ghcr.io/acme/shop:2"),
        candidate(tmp_path),
    ]


@pytest.mark.parametrize(
    ("selector", "position"),
    [
        ("@0", 0),
        ("@2", 2),
        ("shop:1", 0),
        ("docker.io/library/shop:1", 0),
        ("acme/shop", 0),
        ("acme/shop:latest", 0),
        ("ghcr.io/acme/shop:2", 1),
    ],
)
def test_an_image_is_chosen_by_its_name_or_position(
    several: list[Candidate], selector: str, position: int
) -> None:
    assert select(several, selector, "image.tar") is several[position]


@pytest.mark.parametrize("listed", [True, False], ids=["layout", "archive"])
@pytest.mark.parametrize("name", ["shop@{}", "shop:1@{}", "ghcr.io/acme/shop@{}"])
def test_a_name_agrees_with_the_digest_of_its_image(
    tmp_path: Path, name: str, *, listed: bool
) -> None:
    own, wrong = FakeImage(tmp_path).content().root.digest, Digest("sha256", "1" * 64)
    for digest_, right in ((own, True), (wrong, False)):
        one = replace(
            candidate(tmp_path, "shop:2", name.format(digest_)), root=own if listed else None
        )
        if right:
            assert agreed(one, "image.tar").names == one.names
            continue
        with pytest.raises(SourceError, match=f"@{wrong} whose digest is {own}"):
            agreed(one, "image.tar")


@pytest.mark.parametrize("name", ["shop:1", "v1", "Not A Name@sha256:1", "shop@sha256:11"])
def test_a_name_that_pins_nothing_is_not_compared(tmp_path: Path, name: str) -> None:
    def unread() -> FakeImage:
        raise AssertionError

    one = replace(candidate(tmp_path, name), open=unread)
    assert agreed(one, "image.tar") is one


def test_the_only_image_needs_no_selector(several: list[Candidate]) -> None:
    assert select(several[1:2], "", "image.tar") is several[1]


@pytest.mark.parametrize("selector", ["@3", "shop:2", "ghcr.io/acme/shop", "Not A Name"])
def test_an_image_that_is_not_there_is_an_error_that_lists_what_is(
    several: list[Candidate], selector: str
) -> None:
    with pytest.raises(SourceError, match="has no image") as caught:
        select(several, selector, "image.tar")
    assert "@1 ghcr.io/acme/shop:2; @2 (no name)" in caught.value.remedy


def test_of_several_images_one_must_be_named(several: list[Candidate]) -> None:
    with pytest.raises(SourceError, match="holds 3 images") as caught:
        select(several, "", "image.tar")
    assert "--all" in caught.value.remedy


def test_a_source_without_images_is_an_error() -> None:
    with pytest.raises(SourceError, match="contains no image"):
        select([], "", "layout")


@pytest.fixture
def hybrid(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder that is a docker-archive and an OCI layout at once, as Docker 25 saves it."""

    def make(*, compressed: bool) -> Path:
        (tmp_path / "layer").write_bytes(LAYER)
        layout = Layout(tmp_path / "hybrid")
        part = Layer(tmp_path / "layer", digest(LAYER))
        layout.top(layout.image([part], compressed=compressed, **named("1")))
        for member, data in image(file("1/layer.tar", LAYER)):
            path = layout.folder / member.name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        return layout.folder

    return make


@pytest.mark.parametrize(("compressed", "is_new"), [(True, False), (False, True)])
def test_a_hybrid_is_pushed_as_it_is_only_if_its_layers_are_compressed(
    hybrid: Callable[..., Path], staging: Staging, *, compressed: bool, is_new: bool
) -> None:
    files = Folder(hybrid(compressed=compressed), "hybrid", FakeProgress())
    (found,) = candidates(files, staging, None)
    assert found.open().digest_is_new == is_new


def test_a_layout_keeps_its_uncompressed_layers(tmp_path: Path, staging: Staging) -> None:
    (tmp_path / "layer").write_bytes(LAYER)
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image([Layer(tmp_path / "layer", digest(LAYER))], compressed=False))
    (found,) = candidates(Folder(layout.folder, "layout", FakeProgress()), staging, None)
    assert not found.open().digest_is_new


def test_a_hybrid_without_the_layouts_blobs_is_a_layout_with_an_error(
    hybrid: Callable[..., Path], staging: Staging
) -> None:
    folder = hybrid(compressed=True)
    index: dict[str, Any] = json.loads((folder / "index.json").read_text())
    wanted = index["manifests"][0]["digest"].removeprefix("sha256:")
    (folder / "blobs/sha256" / wanted).unlink()
    (found,) = candidates(Folder(folder, "hybrid", FakeProgress()), staging, None)
    with pytest.raises(SourceError, match=f"lacks blobs/sha256/{wanted}"):
        found.open().content()


def test_an_archive_of_neither_kind_is_refused(tmp_path: Path, staging: Staging) -> None:
    (tmp_path / "image.tar").write_bytes(tar(file("readme", b"")))
    files = PlainTar(
        partial(io.FileIO, tmp_path / "image.tar"),
        "image.tar",
        staging,
        FakeProgress(),
    )
    with pytest.raises(SourceError, match=r"neither manifest\.json nor index\.json"):
        candidates(files, staging, None)


@pytest.fixture
def half(tmp_path: Path, staging: Staging) -> list[Candidate]:
    """The images of a layout whose second descriptor is faulty."""
    (tmp_path / "layer").write_bytes(LAYER)
    layout = Layout(tmp_path / "half")
    good = layout.image([Layer(tmp_path / "layer", digest(LAYER))], **named("shop:1"))
    layout.top(good, good | {"size": -5})
    return candidates(Folder(layout.folder, "half", FakeProgress()), staging, None)


@pytest.mark.parametrize("selector", ["@0", "shop:1", "docker.io/library/shop:1"])
def test_a_good_image_is_chosen_next_to_a_faulty_one(half: list[Candidate], selector: str) -> None:
    assert select(half, selector, "half").open().content().blobs


def test_a_faulty_image_that_is_chosen_says_what_is_wrong(half: list[Candidate]) -> None:
    with pytest.raises(SourceError, match=r"manifests\[1\].*size is -5"):
        select(half, "@1", "half").open()


def test_a_faulty_image_knows_the_lock_file_of_its_bundle_too(
    tmp_path: Path, staging: Staging, half: list[Candidate]
) -> None:
    assert [each.lock() for each in half] == [None, None]
    (tmp_path / "half" / LOCK).write_text("{")
    found = candidates(Folder(tmp_path / "half", "half", FakeProgress()), staging, None)
    for each in found:
        with pytest.raises(SourceError, match=LOCK):
            each.lock()


@pytest.mark.parametrize("selector", ["", "shop:2"])
def test_a_fault_is_said_where_images_are_listed(half: list[Candidate], selector: str) -> None:
    with pytest.raises(SourceError) as caught:
        select(half, selector, "half")
    assert "@0 shop:1; @1 (faulty: half: index.json: manifests[1]" in str(caught.value)


def test_a_hybrid_whose_first_image_is_damaged_keeps_the_others(
    tmp_path: Path, staging: Staging
) -> None:
    (tmp_path / "layer").write_bytes(LAYER)
    part = Layer(tmp_path / "layer", digest(LAYER))
    layout = Layout(tmp_path / "hybrid")
    damaged = layout.image([part], "arm64", compressed=False, **named("shop:1"))
    good = layout.image([part], compressed=True, **named("shop:2"))
    (layout.folder / "blobs" / damaged["digest"].replace(":", "/")).write_bytes(b"{}")
    layout.top(damaged, good)
    (layout.folder / "manifest.json").write_text("[]")
    found = candidates(Folder(layout.folder, "hybrid", FakeProgress()), staging, None)
    assert select(found, "shop:2", "hybrid").open().content().blobs
    with pytest.raises(SourceError, match="does not match"):
        select(found, "shop:1", "hybrid").open().content()
