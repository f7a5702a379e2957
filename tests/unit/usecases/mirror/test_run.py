import threading
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, ConflictError, NetworkError, SourceError
from dockless.model.plan import PushResult
from dockless.model.renaming import Map, Renaming
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.run import MirrorItem, mirror, order_by_shared_blobs, plan
from fakes.image import FakeImage

RULES = Renaming(host="registry.inside:5000", prefix="m")


@pytest.fixture
def image(tmp_path: Path) -> FakeImage:
    return FakeImage(tmp_path / "one")


def found(image: Image, *names: str, source: str = "images.tar") -> SourceImage:
    return SourceImage(source=source, names=names, bare="images", size=10, open=lambda: image)


def places(*found_: SourceImage, rules: Renaming = RULES) -> list[str]:
    planned = plan(found_, rules)
    assert planned.lost == ()
    return [str(each) for item in planned.items for each in item.references]


def test_every_name_of_an_image_is_a_reference(image: FakeImage) -> None:
    assert places(found(image, "shop:1", "shop:stable", "ghcr.io/acme/shop:1")) == [
        "registry.inside:5000/m/shop:1",
        "registry.inside:5000/m/shop:stable",
        "registry.inside:5000/m/acme/shop:1",
    ]


def test_a_tag_only_belongs_to_a_repository_named_like_the_source(image: FakeImage) -> None:
    assert places(found(image, "v1")) == ["registry.inside:5000/m/images:v1"]
    assert places(found(image, "docker.io/acme/shop:v1", "v1")) == [
        "registry.inside:5000/m/acme/shop:v1"
    ]


def test_an_image_without_a_name_has_no_place(image: FakeImage) -> None:
    planned = plan([found(image), found(image, "shop:1")], RULES)
    assert len(planned.items) == 1
    (lost,) = planned.lost
    assert isinstance(lost.error, SourceError)
    assert "--as" in lost.error.remedy


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("name", ["acme/bad@{}", "ghcr.io/acme/bad:v1@{}", "bad@{}"])
def test_a_name_that_pins_another_digest_is_the_failure_of_its_image(
    image: FakeImage, name: str, algorithm: str
) -> None:
    wrong = name.format(f"{algorithm}:{'1' * (64 if algorithm == 'sha256' else 128)}")
    planned = plan([found(image, "acme/good:1", wrong), found(image, "acme/other:1")], RULES)
    assert [item.name for item in planned.items] == ["acme/other:1"]
    (lost,) = planned.lost
    assert isinstance(lost.error, SourceError)
    assert f"{wrong} whose digest is {image.content().root.digest}" in lost.error.what


@pytest.mark.parametrize(("name", "target"), [("a@{}", "a@{}"), ("a:2@{}", "a:2")])
def test_a_name_that_pins_its_own_digest_is_a_reference(
    image: FakeImage, name: str, target: str
) -> None:
    own = image.content().root.digest
    assert places(found(image, name.format(own))) == [
        f"registry.inside:5000/m/{target.format(own)}"
    ]


def test_a_damaged_image_with_a_pinned_name_fails_when_it_is_pushed(image: FakeImage) -> None:
    def damaged() -> Image:
        raise SourceError("It is damaged.")

    name = f"acme/shop@{image.content().root.digest}"
    (item,) = plan([replace(found(image, name), open=damaged)], RULES).items
    with pytest.raises(SourceError, match="damaged"):
        item.open()


def test_two_images_for_one_reference_are_both_left_out(image: FakeImage, tmp_path: Path) -> None:
    other = FakeImage(tmp_path / "two", (b"another",))
    rules = replace(RULES, maps=(Map("docker.io/library/*", "same"),))
    planned = plan([found(image, "a:1"), found(other, "b:1"), found(image, "acme/c:1")], rules)
    assert [item.name for item in planned.items] == ["acme/c:1"]
    assert [(each.source, each.name) for each in planned.lost] == [
        ("images.tar", "a:1"),
        ("images.tar", "b:1"),
    ]
    assert {type(each.error) for each in planned.lost} == {ConflictError}
    assert len({str(each.error) for each in planned.lost}) == 1, "so that it is printed once"
    assert "--as or --map" in planned.lost[0].error.remedy


def test_one_image_of_several_sources_is_one_entry_that_names_them(image: FakeImage) -> None:
    copies = [found(image, "a:1", source=f"{each}.tar") for each in ("one", "two", "three")]
    (item,) = plan(copies, RULES).items
    assert (item.source, item.other_sources) == ("one.tar", ("two.tar", "three.tar"))


@pytest.mark.parametrize("times", [2, 3, 7])
def test_a_line_that_stands_several_times_is_one_image(image: FakeImage, times: int) -> None:
    lines = [found(image, "a:1", "a:2", source="docker://one/a:1")] * times
    copies = [replace(line, open=lambda: image) for line in lines]  # each opened by itself
    planned = plan(copies, RULES)
    assert planned.lost == ()
    (item,) = planned.items
    assert item.tags == ("1", "2")


@pytest.mark.parametrize(
    ("second", "left"),
    [
        (("a:1", "a:3"), [("1", "2"), ("3",)]),
        (("a:2",), [("1", "2")]),
        (("b:1",), [("1", "2"), ("1",)]),
    ],
)
def test_of_a_repeated_image_each_reference_goes_once(
    image: FakeImage, second: tuple[str, ...], left: list[tuple[str, ...]]
) -> None:
    again = replace(found(image, *second), open=lambda: image)
    planned = plan([found(image, "a:1", "a:2"), again], RULES)
    assert planned.lost == ()
    assert [item.tags for item in planned.items] == left


def test_a_damaged_archive_that_is_named_twice_is_damaged_and_no_clash() -> None:
    def damaged() -> Image:
        raise SourceError("It is damaged.")

    lines = [
        SourceImage(source="a.tar", names=("a:1",), bare="a", size=10, open=damaged),
        SourceImage(source="a.tar", names=("a:1",), bare="a", size=10, open=damaged),
    ]
    planned = plan([lines[0], replace(lines[1], open=partial(damaged))], RULES)
    assert (len(planned.items), planned.lost) == (1, ())


def test_two_images_of_one_source_with_one_name_still_clash(
    image: FakeImage, tmp_path: Path
) -> None:
    other = FakeImage(tmp_path / "two", (b"another",))
    planned = plan([found(image, "a:1"), found(other, "a:1")], RULES)
    assert planned.items == ()
    assert {(each.source, each.name) for each in planned.lost} == {("images.tar", "a:1")}


def items(image: Image, count: int) -> list[MirrorItem]:
    planned = plan([found(image, f"shop{number}:1") for number in range(count)], RULES)
    return list(planned.items)


def result(image: FakeImage) -> PushResult:
    from dockless.model.plan import Plan  # noqa: PLC0415 - beside the one that is tested

    made = Plan(
        repository=Repository.of("registry.inside:5000", "x"),
        content=image.content(),
        blobs=(),
        tags=(),
        digest_is_new=False,
    )
    return PushResult(
        plan=made,
        unchanged=False,
        dry_run=False,
        verified=True,
        engine="crane",
        sent=0,
        attempts=1,
        seconds=0.0,
    )


def test_images_go_side_by_side(image: FakeImage) -> None:
    together = threading.Barrier(3, timeout=10)

    def push(item: MirrorItem) -> PushResult:
        assert item.size == 10
        together.wait()
        return result(image)

    outcomes = mirror(items(image, 3), push, 3, lambda _, __, ___: None, lambda _: None)
    assert all(isinstance(each, PushResult) for each in outcomes.values())


def test_what_failed_on_the_network_is_tried_at_the_end_and_nothing_else(
    image: FakeImage,
) -> None:
    three = items(image, 3)
    tried: list[str] = []

    def push(item: MirrorItem) -> PushResult:
        tried.append(item.name)
        if item.name == "shop0:1" and tried.count(item.name) == 1:
            raise NetworkError("Gone.")
        if item.name == "shop1:1":
            raise AuthError("No.")
        return result(image)

    told: list[tuple[str, bool]] = []
    outcomes = mirror(
        three, push, 1, lambda item, _, again: told.append((item.name, again)), lambda _: None
    )
    assert told == [
        ("shop0:1", True),
        ("shop1:1", False),
        ("shop2:1", False),
        ("shop0:1", False),
    ]
    assert tried == ["shop0:1", "shop1:1", "shop2:1", "shop0:1"]
    assert [type(outcomes[item]) for item in three] == [PushResult, AuthError, PushResult]


def test_images_that_bring_what_others_share_start_first(image: FakeImage) -> None:
    base, other, one, two, three = (Digest.of(each) for each in (b"b", b"o", b"1", b"2", b"3"))
    blobs = ({base, one}, {base, two}, {other, base}, {three}, {other})
    entries_ = [
        replace(item, blobs=frozenset(each))
        for item, each in zip(items(image, len(blobs)), blobs, strict=True)
    ]
    first, later = order_by_shared_blobs(entries_)
    assert [entries_.index(item) for item in first] == [0, 2]
    assert [entries_.index(item) for item in later] == [1, 3, 4]
