from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import ConflictError, SourceError, UsageError
from dockless.model.renaming import Renaming
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.given_names import GivenName, all_named
from dockless.usecases.mirror.run import Lost, plan
from fakes.image import FakeImage

RULES = Renaming(host="registry.inside:5000", prefix="m")


@pytest.fixture
def two(tmp_path: Path) -> tuple[FakeImage, FakeImage]:
    return FakeImage(tmp_path / "one"), FakeImage(tmp_path / "two", (b"another",))


def found(image: Image, *names: str, bare: str = "crane") -> SourceImage:
    return SourceImage(source="crane.tar", names=names, bare=bare, size=10, open=lambda: image)


def named(*images: SourceImage, given: str = "") -> tuple[list[SourceImage | Lost], list[str]]:
    notes: list[str] = []
    every = all_named(images, GivenName.parse(given), notes.append, referrers=True)
    return list(every), notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, GivenName()),
        ("", GivenName()),
        ("nm", GivenName("nm")),
        ("nm:v1", GivenName("nm", "v1")),
        ("ghcr.io/acme/nm:v1", GivenName("ghcr.io/acme/nm", "v1")),
        ("localhost:5000/nm", GivenName("localhost:5000/nm")),
    ],
)
def test_a_name_may_have_a_tag(text: str | None, expected: GivenName) -> None:
    assert GivenName.parse(text) == expected


@pytest.mark.parametrize("text", ["NM:v1", "nm:", "nm@sha256:" + "0" * 64, "nm:v 1", "a b"])
def test_what_is_no_name_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--as"):
        GivenName.parse(text)


def test_images_without_a_name_go_to_their_repository_by_digest(
    two: tuple[FakeImage, FakeImage],
) -> None:
    digests = [image.content().root.digest for image in two]
    images, notes = named(*map(found, two), found(two[0], "acme/shop:1"))
    assert [each.names for each in images if isinstance(each, SourceImage)] == [
        (f"crane@{digests[0]}",),
        (f"crane@{digests[1]}",),
        ("acme/shop:1",),
    ]
    assert len(notes) == 2
    planned = plan([each for each in images if isinstance(each, SourceImage)], RULES)
    assert planned.lost == ()
    assert [str(item.references[0]) for item in planned.items] == [
        f"registry.inside:5000/m/crane@{digests[0]}",
        f"registry.inside:5000/m/crane@{digests[1]}",
        "registry.inside:5000/m/acme/shop:1",
    ]


def test_one_gets_the_tag_that_is_given(two: tuple[FakeImage, FakeImage]) -> None:
    images, notes = named(found(two[0], bare="nm"), given="nm:v1")
    planned = plan([each for each in images if isinstance(each, SourceImage)], RULES)
    assert [str(item.references[0]) for item in planned.items] == ["registry.inside:5000/m/nm:v1"]
    assert notes == []


@pytest.mark.parametrize(
    ("names", "given", "expected"),
    [
        (("v2",), "nm:v1", "m/nm:v1"),
        (("v2",), "nm", "m/nm:v2"),
        (("ghcr.io/acme/web@OWN",), "nm:v1", "m/nm:v1"),
        (("ghcr.io/acme/web@OWN",), "nm", "m/acme/web@OWN"),
        (("ghcr.io/acme/web:v3@OWN",), "nm:v1", "m/acme/web:v3"),
        (("ghcr.io/acme/web:v3", "v3"), "nm:v1", "m/acme/web:v3"),
    ],
)
def test_what_is_given_is_for_images_without_a_full_name(
    two: tuple[FakeImage, FakeImage], names: tuple[str, ...], given: str, expected: str
) -> None:
    own = str(two[0].content().root.digest)
    names = tuple(name.replace("OWN", own) for name in names)
    images, _ = named(found(two[0], *names, bare="nm"), given=given)
    planned = plan([each for each in images if isinstance(each, SourceImage)], RULES)
    assert [str(item.references[0]) for item in planned.items] == [
        f"registry.inside:5000/{expected.replace('OWN', own)}"
    ]


def test_several_that_would_get_one_tag_are_failures_of_their_own(
    two: tuple[FakeImage, FakeImage],
) -> None:
    images, _ = named(*(found(image, bare="nm") for image in two), given="nm:v1")
    planned = plan([each for each in images if isinstance(each, SourceImage)], RULES)
    assert planned.items == ()
    assert [type(each.error) for each in planned.lost] == [ConflictError, ConflictError]


def test_a_damaged_one_is_a_failure_of_its_own(two: tuple[FakeImage, FakeImage]) -> None:
    def damaged() -> Image:
        raise SourceError("It is damaged.")

    images, _ = named(
        SourceImage(
            source="crane.tar", names=(), bare="crane", size=10, open=damaged, origin="list.txt:3:1"
        ),
        found(two[0]),
    )
    lost, good = images
    assert isinstance(lost, Lost)
    assert (lost.source, lost.name, lost.origin) == ("crane.tar", "@0", "list.txt:3:1")
    assert isinstance(good, SourceImage)


@pytest.mark.parametrize("bare", ["", "my images", "日本"])
def test_a_source_whose_name_is_no_repository_needs_one(
    two: tuple[FakeImage, FakeImage], bare: str
) -> None:
    images, _ = named(found(two[0], bare=bare))
    (lost,) = plan([each for each in images if isinstance(each, SourceImage)], RULES).lost
    assert "--as" in lost.error.remedy


@pytest.mark.parametrize("given", ["", "nm", "nm:v1"])
def test_a_faulty_entry_is_a_failure_with_its_position(
    two: tuple[FakeImage, FakeImage], given: str
) -> None:
    fault = SourceError("crane.tar: manifest.json: [1] is null.")
    images, _ = named(
        found(two[0], "a:1"), replace(found(two[1]), fault=fault), found(two[1], "b:1"), given=given
    )
    lost = [each for each in images if isinstance(each, Lost)]
    assert [(each.name, each.error) for each in lost] == [("@1", fault)]
    assert len(images) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        f"docker.io/a/bad@sha256:{'1' * 64}",
        f"bad@sha256:{'2' * 64}",
        f"ghcr.io/acme/bad@sha512:{'3' * 128}",
    ],
)
def test_an_image_whose_only_name_is_a_wrong_pin_is_lost_and_not_renamed(
    two: tuple[FakeImage, FakeImage], wrong: str
) -> None:
    right = f"acme/own@{two[1].content().root.digest}"
    for read in (False, True):
        bad = found(two[0], wrong)
        bad = replace(bad, content=two[0].content()) if read else bad
        images, _ = named(bad, given="nm:v1")
        assert [each.names for each in images if isinstance(each, SourceImage)] == [(wrong,)]
        planned = plan([each for each in images if isinstance(each, SourceImage)], RULES)
        assert planned.items == ()
        assert [each.name for each in planned.lost] == [wrong]
        assert "whose digest is" in planned.lost[0].error.what
    images, _ = named(found(two[1], right), given="nm:v1")
    assert [each.names for each in images if isinstance(each, SourceImage)] == [("nm:v1",)]
