from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, ConflictError, DocklessError, NetworkError, SourceError
from dockless.model.plan import Plan, PushResult
from dockless.oci.reference import Reference, Repository
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.run import Lost, MirrorItem
from dockless.usecases.push.all_images import planned, push_each, targets
from fakes.image import FakeImage
from fakes.overview import FakeOverview

BAD, WORSE = NetworkError("a is down.", "Wait."), AuthError("b refuses.", "Log in.")


@pytest.fixture
def one(tmp_path: Path) -> FakeImage:
    return FakeImage(tmp_path / "one")


@pytest.fixture
def two(tmp_path: Path) -> FakeImage:
    return FakeImage(tmp_path / "two", (b"another",))


def found(image: Image, *names: str) -> SourceImage:
    return SourceImage(source="disk.tar", names=names, bare="disk", size=1, open=lambda: image)


def below(name: str) -> Reference:
    """Return where an image goes: its host is left out, as with `--to`."""
    if name.startswith(("?", "bad@")):
        raise SourceError("It is no name.")
    path, at, digest = name.partition("@")
    path = path.rpartition(".io/")[2]
    return Reference.parse(f"r.example/{path}{at}{digest}")


def work(*images: SourceImage, by_source: bool = True) -> tuple[MirrorItem | Lost, ...]:
    return planned(images, below, lambda _: None, by_source=by_source)


@pytest.mark.parametrize(
    "names",
    [
        ("ghcr.io/acme/shop:v1", "quay.io/acme/shop:v1"),
        ("web:1", "web:1"),
        ("docker.io/library/nginx:2", "library/nginx:2"),
    ],
)
def test_different_images_that_would_be_one_reference_are_all_a_conflict(
    one: FakeImage, two: FakeImage, names: tuple[str, str]
) -> None:
    first, other, last = work(found(one, names[0]), found(one, "b:1"), found(two, names[1]))
    assert isinstance(other, MirrorItem)
    for each, name in ((first, names[0]), (last, names[1])):
        assert isinstance(each, Lost)
        assert isinstance(each.error, ConflictError)
        assert each.name == name
        assert f"would both be {below(name)}." in each.error.what
        assert "--as" not in each.error.remedy
        for image in (one, two):
            assert str(image.content().root.digest) in each.error.what


@pytest.mark.parametrize(
    "names",
    [("ghcr.io/a/b:1", "quay.io/a/b:1"), ("a:1", "a:1"), ("c.io/x/y:1", "x/y:1", "d.io/x/y:1")],
)
@pytest.mark.parametrize("apart", [True, False])
def test_equal_images_with_one_reference_are_one(
    one: FakeImage, names: tuple[str, ...], *, apart: bool
) -> None:
    images = [found(one, name) for name in names] if apart else [found(one, *names)]
    (item,) = work(*images)
    assert isinstance(item, MirrorItem)
    assert (item.name, item.references) == (names[0], (below(names[0]),))


def test_what_has_no_name_goes_by_digest_to_the_repository_of_its_source(
    one: FakeImage, two: FakeImage
) -> None:
    items = work(found(one), found(two, "x:1"), found(two))
    digests = [image.content().root.digest for image in (one, two)]
    assert [each.name for each in items] == [f"disk@{digests[0]}", "x:1", f"disk@{digests[1]}"]
    assert targets(items) == (
        Repository.of("r.example", "disk"),
        Repository.of("r.example", "x"),
        Repository.of("r.example", "disk"),
    )
    assert all(isinstance(each, MirrorItem) for each in items)
    assert [each.tags for each in items if isinstance(each, MirrorItem)] == [(), ("1",), ()]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_where_the_source_names_no_repository_it_is_a_failure_that_says_why(
    one: FakeImage, two: FakeImage, position: int
) -> None:
    images = [found(two, "x:1"), found(two, "y:1")]
    images.insert(position, found(one))
    items = work(*images, by_source=False)
    lost = items[position]
    assert isinstance(lost, Lost)
    assert (lost.name, lost.error.what) == (f"@{position}", "An image of disk.tar has no name.")
    assert f"disk.tar:@{position} with --image" in lost.error.remedy
    assert len(targets(items)) == 2


@pytest.mark.parametrize("place", ["bad", "a"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_name_that_pins_another_digest_says_so_wherever_it_would_go(
    one: FakeImage, place: str, algorithm: str
) -> None:
    wrong = f"{place}@{algorithm}:{'1' * (64 if algorithm == 'sha256' else 128)}"
    good, bad = work(found(one, "b:1"), found(one, wrong))
    assert isinstance(good, MirrorItem)
    assert isinstance(bad, Lost)
    assert f"{wrong} whose digest is {one.content().root.digest}" in bad.error.what


def test_a_name_that_goes_nowhere_is_the_failure_of_that_name(one: FakeImage) -> None:
    good, bad = work(found(one, "a:1", "?"))
    assert isinstance(good, MirrorItem)
    assert isinstance(bad, Lost)
    assert (bad.name, bad.error.what) == ("?", "It is no name.")


class Session:
    """Pushes images, unless a registry is silent; it writes down what it is asked for."""

    def __init__(self, results: dict[str, PushResult | DocklessError], *silent: str) -> None:
        self._results = results
        self._silent = silent
        self.reached: list[str] = []
        self.pushed: list[str] = []

    def reach(self, repository: Repository) -> None:
        self.reached.append(str(repository))
        if repository.host in self._silent:
            raise NetworkError(f"{repository.host} is down.")

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        del image
        self.pushed.append(":".join((str(repository), *tags)))
        result = self._results[repository.path]
        if isinstance(result, DocklessError):
            raise result
        return result


@pytest.fixture
def good(one: FakeImage) -> PushResult:
    plan = Plan(
        repository=Repository.of("r.io", "a"),
        content=one.content(),
        blobs=(),
        tags=(),
        digest_is_new=False,
    )
    return PushResult(
        plan=plan,
        unchanged=True,
        dry_run=False,
        verified=True,
        engine="",
        sent=0,
        attempts=0,
        seconds=1.0,
    )


def item(image: Image, name: str) -> MirrorItem:
    reference = Reference.parse(name)
    return MirrorItem(
        source="disk.tar", name=name, references=(reference,), size=0, open=lambda: image
    )


def test_each_is_pushed_by_its_name_and_shown(one: FakeImage, good: PushResult) -> None:
    overview = FakeOverview()
    sent = replace(good, unchanged=False, sent=7, attempts=1)
    session = Session({"b": sent, "c": good, "d": WORSE})
    lost = Lost(source="disk.tar", name="@0", error=BAD)
    noted: list[object] = []
    outcomes = push_each(
        [lost, *(item(one, f"r.io/{name}:1") for name in "bcd")],
        session,
        overview,
        lambda *each: noted.append(each),
    )
    assert outcomes == [
        ("disk.tar:@0", BAD),
        ("r.io/b:1", sent),
        ("r.io/c:1", good),
        ("r.io/d:1", WORSE),
    ]
    assert noted == outcomes[1:]
    assert overview.expected == (4, 0)
    assert [name for name, _ in overview.begun] == ["r.io/b:1", "r.io/c:1", "r.io/d:1"]
    told = [(each.name, each.fate, each.sent) for each in overview.shown]
    assert told == [
        ("disk.tar:@0", "failed", 0),
        ("r.io/b:1", "arrived", 7),
        ("r.io/c:1", "there", 0),
        ("r.io/d:1", "failed", 0),
    ]


@pytest.mark.parametrize("silent", ["r.io", "q.io", "127.0.0.1:5999"])
def test_a_registry_that_does_not_respond_is_asked_once_for_all(
    one: FakeImage, good: PushResult, silent: str
) -> None:
    session = Session({"a": good, "b": good}, silent)
    names = [f"{host}/{path}:1" for path in "ab" for host in (silent, "other.io")]
    outcomes = push_each([item(one, name) for name in names], session, FakeOverview(), print)
    assert session.reached == [f"{silent}/a", "other.io/a", "other.io/b"]
    assert session.pushed == ["other.io/a:1", "other.io/b:1"]
    failed = {name for name, outcome in outcomes if isinstance(outcome, NetworkError)}
    assert failed == {f"{silent}/a:1", f"{silent}/b:1"}
