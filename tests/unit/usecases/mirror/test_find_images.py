from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dockless.errors import AuthError, DocklessError, NetworkError, PushError, SourceError
from dockless.model.listed import Listed, SyncItem, SyncRegistry
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.ports import SourceImage
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.given_names import GivenName
from dockless.usecases.mirror.run import Lost
from fakes.image import FakeImage

DOWN = NetworkError("It is down.", "Wait.")


class FolderWith:
    """What a folder has."""

    def __init__(
        self,
        *sources: Path,
        errors: Mapping[Path, SourceError] | None = None,
        others: Mapping[Path, str] | None = None,
    ) -> None:
        self.sources: Sequence[Path] = sources
        self.errors: Mapping[Path, SourceError] = errors or {}
        self.others: Mapping[Path, str] = others or {}


class FakeReaders:
    """Sources in memory, by what is asked for, and what registries have attached to images."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found: dict[str, tuple[SourceImage, ...] | DocklessError] = {}
        self.around: dict[Digest, list[Reference] | DocklessError] = {}
        self.tags_there: tuple[str, ...] = ()
        self.down: DocklessError | None = None
        self.reached: Counter[str] = Counter()
        self.there = True
        self.contents = FolderWith()

    def add(self, text: str, *names: str, layer: str = "") -> Digest:
        image = FakeImage(self._folder / str(len(self.found)), ((layer or text).encode(),))
        found = SourceImage(
            source=text,
            names=names,
            bare="bare",
            size=10,
            open=lambda: image,
            content=image.content(),
        )
        self.found[text] = (found,)
        return image.content().root.digest

    def reader(self, registry: SyncRegistry | None = None) -> "FakeReaders":
        assert registry is None or registry.host
        return self

    def search(self, folder: Path) -> FolderWith:
        assert folder.is_dir()
        return self.contents

    def reach(self, repository: Repository) -> None:
        self.reached[repository.host] += 1
        if self.down:
            raise self.down

    def tags(self, repository: str) -> tuple[str, ...]:
        assert repository
        return self.tags_there

    def has(self, name: str) -> bool:
        assert name
        return self.there

    def attached(
        self, repository: Repository, digest: Digest, note: Callable[[str], None]
    ) -> Sequence[Reference]:
        assert repository.host in self.reached
        assert callable(note)
        found = self.around.get(digest, [])
        if isinstance(found, DocklessError):
            raise found
        return found

    def images(self, text: str, folder: Path, named: str, origin: str) -> tuple[SourceImage, ...]:
        assert (folder, named) == (self._folder, "")
        assert isinstance(origin, str)
        found = self.found.get(text, SourceError(f"There is no file {text}."))
        if isinstance(found, DocklessError):
            raise found
        return found


@pytest.fixture
def readers(tmp_path: Path) -> FakeReaders:
    return FakeReaders(tmp_path)


def looked(
    readers: FakeReaders, *sources: Listed | str, referrers: bool = True
) -> tuple[list[SourceImage], list[Lost], list[str]]:
    notes: list[str] = []
    wishes = Wishes(
        folder=readers._folder, given=GivenName(), referrers=referrers, note=notes.append
    )
    listed = [Listed(text=each) if isinstance(each, str) else each for each in sources]
    every = list(find(readers, listed, wishes))
    images = [each for each in every if isinstance(each, SourceImage)]
    return images, [each for each in every if isinstance(each, Lost)], notes


def test_sources_are_found_in_order_and_what_is_missing_is_lost_in_its_place(
    readers: FakeReaders,
) -> None:
    readers.add("a.tar", "shop:1")
    readers.add("docker://x.io/b:1", "x.io/b:1")
    images, lost, _ = looked(
        readers, "a.tar", Listed(text="no.tar", origin="list:2:1"), "docker://x.io/b:1"
    )
    assert [each.names for each in images] == [("shop:1",), ("x.io/b:1",)]
    (one,) = lost
    assert (one.source, one.origin) == ("no.tar", "list:2:1")
    assert one.error.what == "list:2:1: There is no file no.tar."


def test_a_folder_stands_for_what_is_in_it(readers: FakeReaders, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    path, bad = tmp_path / "images" / "a.tar", tmp_path / "images" / "bad.tar"
    readers.add(str(path), "shop:1")
    others = {tmp_path / f"{number}.txt": "it is text" for number in range(23)}
    readers.contents = FolderWith(path, errors={bad: SourceError("It is cut.")}, others=others)
    images, lost, notes = looked(readers, "images")
    assert [each.names for each in images] == [("shop:1",)]
    assert [each.source for each in lost] == [str(bad)]
    assert len(notes) == 21
    assert notes[-1] == "Skipped, not images: 3 others."


def test_a_folder_of_nothing_is_lost(readers: FakeReaders, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    _, (lost,), _ = looked(readers, "images")
    assert "without an image archive or an OCI layout" in lost.error.what


def item(*named: str, choice: Callable[[str], bool] | None = None) -> Listed:
    registry = SyncRegistry(host="x.io", insecure=True)
    places = tuple(f"list:{number}:1" for number in range(len(named)))
    wanted = SyncItem(
        registry=registry,
        repository="x.io/a",
        origin="list:9:1",
        named=named,
        choice=choice,
        places=places,
    )
    return Listed(text="", origin="list:9:1", wanted=wanted)


def test_named_tags_of_a_list_have_each_their_place(readers: FakeReaders) -> None:
    readers.add("docker://x.io/a:1", "x.io/a:1")
    images, (lost,), _ = looked(readers, item("1", "2"))
    assert len(images) == 1
    assert (lost.name, lost.origin) == ("x.io/a:2", "list:1:1")


@pytest.mark.parametrize(("chosen", "count"), [("1", 1), ("2", 2), ("", 0)])
def test_a_rule_chooses_of_the_tags_that_are_there(
    readers: FakeReaders, chosen: str, count: int
) -> None:
    readers.tags_there = ("1", "2", "20")
    for tag in readers.tags_there:
        readers.add(f"docker://x.io/a:{tag}", f"x.io/a:{tag}")
    rule = item(choice=lambda tag: bool(chosen) and tag.startswith(chosen))
    images, lost, _ = looked(readers, rule)
    assert len(images) == count
    assert [each.error.what for each in lost] == (
        [] if count else ["list:9:1: No tag of x.io/a matches the list."]
    )


def test_a_registry_that_is_silent_is_asked_once(readers: FakeReaders) -> None:
    readers.down = DOWN
    names = ("docker://x.io/a:1", "docker://x.io/b:2", "docker://y.io/c:3")
    _, lost, _ = looked(readers, *names)
    assert [each.name for each in lost] == ["x.io/a:1", "x.io/b:2", "y.io/c:3"]
    assert readers.reached == {"x.io": 1, "y.io": 1}


@pytest.mark.parametrize("there", [True, False])
def test_an_image_that_is_not_there_is_told_from_one_that_cannot_be_read(
    readers: FakeReaders, *, there: bool
) -> None:
    readers.found["docker://x.io/a:1"] = PushError("skopeo failed.")
    readers.there = there
    _, (lost,), _ = looked(readers, "docker://x.io/a:1")
    assert lost.error.what == ("skopeo failed." if there else "x.io/a:1 does not exist.")


def test_referrers_and_their_referrers_are_found_each_once(readers: FakeReaders) -> None:
    repository = Repository.of("x.io", "a")
    image = readers.add("docker://x.io/a:1", "x.io/a:1")
    second = Reference(repository, "second")
    third = readers.add(f"docker://{second}", str(second))
    readers.around = {image: [second, second], third: [second, Reference(repository, "gone")]}
    images, lost, _ = looked(readers, "docker://x.io/a:1")
    assert [each.names[0] for each in images] == ["x.io/a:1", "x.io/a:second"]
    assert [each.name for each in lost] == ["x.io/a:gone"]
    images, lost, _ = looked(readers, "docker://x.io/a:1", referrers=False)
    assert (len(images), lost) == (1, [])


@pytest.mark.parametrize("error", [DOWN, AuthError("Log in."), SourceError("They are damaged.")])
def test_referrers_that_cannot_be_listed_are_lost_and_the_image_is_not(
    readers: FakeReaders, error: DocklessError
) -> None:
    image = readers.add("docker://x.io/a:1", "x.io/a:1")
    readers.around = {image: error}
    images, (lost,), _ = looked(readers, "docker://x.io/a:1")
    assert len(images) == 1
    assert type(lost.error) is type(error)
    assert "The referrers of x.io/a:1 cannot be listed" in lost.error.what


def test_a_file_has_no_referrers_of_a_registry(readers: FakeReaders) -> None:
    image = readers.add("a.tar", "x.io/a:1")
    readers.around = {image: DOWN}
    images, lost, _ = looked(readers, "a.tar")
    assert (len(images), lost) == (1, [])


@pytest.mark.parametrize("choice", [lambda _: True, lambda _: False, lambda tag: tag > "2"])
def test_a_rule_for_a_repository_without_tags_names_the_repository(
    readers: FakeReaders, choice: Callable[[str], bool]
) -> None:
    readers.tags_there = ()
    images, (lost,), _ = looked(readers, item(choice=choice))
    assert not images
    assert lost.error.what == "list:9:1: x.io/a does not exist, or has no tags."
    assert "rule" not in lost.error.remedy
