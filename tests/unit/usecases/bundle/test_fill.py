import errno
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockless.errors import AbsentError, ConflictError, DiskError, DocklessError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.ports import Image, SourceImage
from dockless.storage.bundle import Bundle
from dockless.storage.disk_errors import full_disk
from dockless.usecases.bundle.fill import LeftOut, fill
from dockless.usecases.mirror.run import Lost
from fakes.image import FakeImage
from fakes.overview import FakeOverview

if TYPE_CHECKING:
    from dockless.usecases.push.context import Copy


class PrunedImage(FakeImage):
    """An image whose staged copies are gone, or damaged, each of the first so many times."""

    def __init__(self, folder: Path, times: int, damage: Callable[[Path], object]) -> None:
        super().__init__(folder)
        self.times = times
        self._damage = damage

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return the files, which somebody deletes or changes at this moment."""
        found = dict(super().paths(digests))
        if self.times > 0:
            self.times -= 1
            for digest, path in found.items():
                copy = path.with_name(f"staged-{path.name}")
                copy.write_bytes(path.read_bytes())
                self._damage(copy)
                found[digest] = copy
        return found


class FakeLenders:
    """The sources of a run: `lent` takes the place of an image that is completed."""

    def __init__(self, lent: Image | None = None) -> None:
        self.added: list[Image] = []
        self._lent = lent

    def add(self, image: Image) -> None:
        """Note it."""
        self.added.append(image)

    def completed(self, image: Image) -> Image:
        """Return what is lent, else the image."""
        return self._lent or image

    def fault(self, image: Image, digest: Digest) -> None:
        """Return that there is none."""
        assert image not in self.added
        assert digest in {blob.digest for blob in image.content().blobs}


class Unfinished(FakeImage):
    """An image whose own source leaves out a layer."""

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Raise the error of its layer."""
        assert digests
        raise AbsentError("The layer is in an older bundle.")


def proved(copies: object) -> None:
    """Take what a bundle wants to have compared."""
    assert copies


def source(image: Image, name: str = "acme/app:v1", origin: str = "") -> SourceImage:
    return SourceImage(
        source="app.tar",
        names=(name,),
        bare="app",
        size=10,
        open=lambda: image,
        content=image.content(),
        origin=origin,
    )


def filled(
    folder: Path,
    *found: SourceImage | Lost,
    keep_going: bool = False,
    lenders: FakeLenders | None = None,
    overview: FakeOverview | None = None,
) -> tuple[Bundle, list[DocklessError]]:
    written = Bundle(folder / "out")
    left_out = fill(
        written,
        found,
        lenders or FakeLenders(),
        proved,
        overview or FakeOverview(),
        keep_going=keep_going,
    )
    written.finish()
    return written, list(left_out.images)


def held(folder: Path, image: Image) -> bool:
    blobs = folder / "out" / "blobs"
    paths = {blobs / each.digest.algorithm / each.digest.hex for each in image.content().blobs}
    return all(path.is_file() for path in paths)


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"x")]
)
def test_what_is_pruned_or_damaged_between_staging_and_copying_is_staged_again_once(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    image = PrunedImage(tmp_path / "image", 1, damage)
    assert filled(tmp_path, source(image))[1] == []
    for blob in image.content().blobs:
        path = tmp_path / "out" / "blobs" / blob.digest.algorithm / blob.digest.hex
        assert blob.digest.matches(path.read_bytes())


def test_copies_that_are_damaged_are_compared_before_they_are_staged_again(tmp_path: Path) -> None:
    image = PrunedImage(tmp_path / "image", 1, lambda path: path.write_bytes(b"x"))
    compared: list[Copy] = []
    fill(
        Bundle(tmp_path / "out"),
        [source(image)],
        FakeLenders(),
        compared.extend,
        FakeOverview(),
        keep_going=False,
    )
    assert {blob.digest for blob, _ in compared} == {each.digest for each in image.content().blobs}


@pytest.mark.parametrize("names", [("acme/app:v1", "x.io/a:2"), ("b:1", "b:2"), ("v1", "v2")])
def test_an_image_stands_under_each_of_its_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    image = FakeImage(tmp_path / "image")
    one = SourceImage(source="app.tar", names=names, bare="app", size=10, open=lambda: image)
    assert filled(tmp_path, one)[1] == []
    text = (tmp_path / "out" / "index.json").read_text()
    for name in names:
        whole = Reference.parse(name if ":" in name else f"app:{name}")
        assert str(whole) in text


def test_the_first_that_is_lost_ends_it_and_names_the_option(tmp_path: Path) -> None:
    good = source(FakeImage(tmp_path / "image"))
    for number, wrong in enumerate((SourceError("Gone.", "Look."), SourceError("Damaged."))):
        with pytest.raises(SourceError) as caught:
            filled(tmp_path / str(number), good, Lost(source="x", name="y", error=wrong))
        assert caught.value.what == wrong.what
        said = "Or leave it out with --keep-going. No bundle was written."
        assert caught.value.remedy.endswith(said)
        with pytest.raises(SourceError) as caught:  # nothing was added, so nothing was said of that
            filled(tmp_path / f"{number}-alone", Lost(source="x", name="y", error=wrong))
        assert caught.value.remedy.endswith("Or leave it out with --keep-going.")


@pytest.mark.parametrize(
    "names",
    [
        ("b:1", "taken:1"),
        ("taken:1", "b:1"),
        ("taken:1",),
        ("b:1", "b:2", "docker.io/library/taken:1"),
    ],
)
def test_of_an_image_that_cannot_be_added_nothing_is_there(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    first = FakeImage(tmp_path / "first", (b"base", b"first"))
    other = FakeImage(tmp_path / "other", (b"base", b"other"))
    whole = SourceImage(source="b.tar", names=names, bare="b", size=1, open=lambda: other)
    alone, _ = tmp_path / "alone", filled(tmp_path / "alone", source(first, "taken:1"))
    _, errors = filled(tmp_path / "both", source(first, "taken:1"), whole, keep_going=True)
    assert [type(each) for each in errors] == [ConflictError]
    contents = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (alone / "out", tmp_path / "both" / "out")
    )
    assert next(contents) == next(contents)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("keep_going", [True, False])
def test_a_full_disk_is_none_of_one_image(tmp_path: Path, number: int, *, keep_going: bool) -> None:
    with pytest.raises(DiskError) as full, full_disk(tmp_path):
        raise OSError(number, os.strerror(number))
    lost = Lost(source="x", name="y", error=full.value)
    good = source(FakeImage(tmp_path / "image"))
    with pytest.raises(DiskError) as caught:
        filled(tmp_path, lost, good, keep_going=keep_going)
    assert caught.value.remedy == full.value.remedy


def test_others_go_in_where_that_is_asked_for(tmp_path: Path) -> None:
    good = FakeImage(tmp_path / "image")
    wrong = SourceError("It is gone.")
    _, lost = filled(
        tmp_path, Lost(source="x", name="y", error=wrong), source(good), keep_going=True
    )
    assert lost == [wrong]
    assert held(tmp_path, good)


@pytest.mark.parametrize("faults", [0, 1, 3])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_what_is_damaged_and_no_image_counts_as_none(
    tmp_path: Path, faults: int, lost: int
) -> None:
    wrong = [SourceError(f"Lock {number}.") for number in range(faults)]
    gone = [SourceError(f"Image {number}.") for number in range(lost)]
    found: list[SourceImage | Lost] = [
        *(Lost(source="x", name="", error=each, is_image=False) for each in wrong),
        source(FakeImage(tmp_path / "image")),
        *(Lost(source="x", name="y", error=each) for each in gone),
    ]
    left_out = fill(
        Bundle(tmp_path / "out"), found, FakeLenders(), proved, FakeOverview(), keep_going=True
    )
    assert left_out == LeftOut(tuple(gone), tuple(wrong))


def test_nothing_but_failures_is_the_error_of_the_first(tmp_path: Path) -> None:
    wrong = [Lost(source="x", name="y", error=SourceError(text)) for text in ("One.", "Two.")]
    with pytest.raises(SourceError, match=r"One\."):
        filled(tmp_path, *wrong, keep_going=True)


def test_a_name_that_is_none_is_said_with_its_place(tmp_path: Path) -> None:
    image = FakeImage(tmp_path / "image")
    with pytest.raises(SourceError, match=r"list\.txt:3:1: An image of app\.tar cannot be named"):
        filled(tmp_path, source(image, "acme/App:v1", "list.txt:3:1"))


def test_an_image_that_lacks_a_blob_is_added_last_with_what_others_have(tmp_path: Path) -> None:
    whole = FakeImage(tmp_path / "whole")
    lenders = FakeLenders(whole)
    other = FakeImage(tmp_path / "other", (b"other",))
    found = (source(Unfinished(tmp_path / "less")), source(other, "acme/other:1"))
    assert filled(tmp_path, *found, lenders=lenders)[1] == []
    assert len(lenders.added) == 2
    assert held(tmp_path, whole)
    assert held(tmp_path, other)


def test_what_no_source_has_is_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match="older bundle"):
        filled(tmp_path, source(Unfinished(tmp_path / "less")))


@pytest.mark.parametrize("name", ["acme/bad@{}", "ghcr.io/acme/bad:v1@{}", "bad@{}"])
def test_an_image_whose_name_pins_another_digest_is_left_out(tmp_path: Path, name: str) -> None:
    wrong, good = FakeImage(tmp_path / "wrong", (b"wrong",)), FakeImage(tmp_path / "good")
    name = name.format(f"sha256:{'1' * 64}")
    found = (source(wrong, name, "list.txt:2:1"), source(good))
    with pytest.raises(SourceError, match="whose digest is") as caught:
        filled(tmp_path / "first", *found)
    assert "--keep-going" in caught.value.remedy
    _, (lost,) = filled(tmp_path / "second", *found, keep_going=True)
    assert lost.what.startswith("list.txt:2:1: ")
    assert f"{name} whose digest is {wrong.content().root.digest}" in lost.what
    assert held(tmp_path / "second", good)
    assert not held(tmp_path / "second", wrong), "nothing of it is written"


def test_an_image_whose_name_pins_its_own_digest_goes_in(tmp_path: Path) -> None:
    image = FakeImage(tmp_path / "image")
    assert filled(tmp_path, source(image, f"acme/a@{image.content().root.digest}"))[1] == []


@pytest.mark.parametrize("names", [("b:1",), ("b:1", "c:1"), ("docker.io/library/b:1",)])
@pytest.mark.parametrize("times", [2, 5])
def test_an_image_that_is_named_again_is_counted_once(
    tmp_path: Path, names: tuple[str, ...], times: int
) -> None:
    overview, one = FakeOverview(), FakeImage(tmp_path / "image")
    again = SourceImage(source="b.tar", names=names, bare="b", size=10, open=lambda: one)
    filled(tmp_path, *[again] * times, source(one), overview=overview)
    assert [each.name for each in overview.shown] == [names[0], "acme/app:v1"]
    assert len(overview.items) == 2


def test_every_image_is_shown_with_the_bytes_that_the_bundle_lacked(tmp_path: Path) -> None:
    overview = FakeOverview()
    one = FakeImage(tmp_path / "image")
    again = SourceImage(source="b.tar", names=("b:1",), bare="b", size=10, open=lambda: one)
    lost = Lost(source="x", name="y:1", error=SourceError("It is gone."))
    damaged = Lost(source="d", name="", error=SourceError("Bad."), is_image=False)
    filled(tmp_path, source(one), again, lost, damaged, keep_going=True, overview=overview)
    size = sum(blob.size for blob in one.content().blobs)
    told = [(each.fate, each.sent) for each in overview.shown]
    assert told == [("arrived", size), ("arrived", 0), ("failed", 0)]
    assert [each.name for each in overview.shown][1:] == ["b:1", "y:1"]
    assert len(overview.begun) == 2
