import os
import shutil
from pathlib import Path

import pytest

from dockless.errors import AbsentError, LostCopyError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, Descriptor
from dockless.sources.directory import Folder, Pulled
from fakes.progress import FakeProgress

DATA = b'{"imageLayoutVersion": "1.0.0"}'


@pytest.fixture
def folder(tmp_path: Path, progress: FakeProgress) -> Folder:
    (tmp_path / "layout/blobs").mkdir(parents=True)
    (tmp_path / "layout/blobs/file").write_bytes(DATA)
    (tmp_path / "outside").write_bytes(DATA)
    return Folder(tmp_path / "layout", "layout", progress)


def blob(data: bytes = DATA, size: int = len(DATA)) -> Descriptor:
    return Descriptor(media_type="application/json", digest=Digest.of(data), size=size)


def test_a_blob_is_pushed_from_where_it_is(
    folder: Folder, tmp_path: Path, progress: FakeProgress
) -> None:
    assert folder.blob("blobs/file", blob(), None) == tmp_path / "layout/blobs/file"
    assert [(task.done, task.finished) for task in progress.tasks] == [(len(DATA), True)]


def test_a_blob_is_offered_before_it_is_checked_and_not_when_it_is_only_checked(
    folder: Folder, tmp_path: Path, progress: FakeProgress
) -> None:
    offered: list[tuple[Descriptor, Path, int]] = []
    telling = Folder(
        tmp_path / "layout",
        "layout",
        progress,
        lambda blob, path: offered.append((blob, path, len(progress.tasks))),
    )
    telling.check("blobs/file", blob())
    assert "blobs/file" in folder
    assert not offered
    telling.blob("blobs/file", blob(), None)
    assert offered == [(blob(), tmp_path / "layout/blobs/file", 1)]
    with pytest.raises(SourceError):
        telling.blob("blobs/absent", blob(), None)
    assert len(offered) == 1


def test_documents_and_sizes_are_read(folder: Folder) -> None:
    assert "blobs/file" in folder
    assert "blobs" not in folder
    assert folder.document("./blobs/file") == DATA
    assert folder.size("blobs/file") == len(DATA)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [(blob(size=1), "has 31 bytes, but its manifest says 1"), (blob(b"other"), "is damaged")],
)
def test_a_blob_that_is_not_what_it_should_be_is_refused(
    folder: Folder, progress: FakeProgress, wanted: Descriptor, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        folder.blob("blobs/file", wanted, None)
    assert all(task.finished for task in progress.tasks)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "link", "chain"])
def test_nothing_outside_of_the_layout_is_read(folder: Folder, tmp_path: Path, name: str) -> None:
    (tmp_path / "layout/link").symlink_to(tmp_path / "outside")
    (tmp_path / "layout/chain").symlink_to("link")
    for read in (folder.document, folder.size, folder.__contains__):
        with pytest.raises(SourceError, match="outside"):
            read(name)
    with pytest.raises(SourceError, match="outside"):
        folder.blob(name, blob(), None)


def test_a_link_inside_of_the_layout_is_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "layout/link").symlink_to("blobs/file")
    assert folder.document("link") == DATA


def test_a_link_that_leads_nowhere_is_no_file(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "layout/one").symlink_to("two")
    (tmp_path / "layout/two").symlink_to("one")
    (tmp_path / "layout/itself").symlink_to("itself")
    for name in ("one", "itself", "itself/below"):
        with pytest.raises(SourceError, match=r"lacks|outside"):
            folder.document(name)
    with pytest.raises(SourceError, match="lacks x"):
        folder.document("x" * 300)


def test_a_missing_file_is_named(folder: Folder) -> None:
    with pytest.raises(SourceError, match="layout lacks blobs/absent"):
        folder.document("blobs/absent")


def test_an_enormous_document_is_refused_unread(folder: Folder, tmp_path: Path) -> None:
    os.truncate(tmp_path / "layout/blobs/file", LONGEST_MANIFEST + 1)
    with pytest.raises(SourceError, match=f"has {LONGEST_MANIFEST + 1} bytes"):
        folder.document("blobs/file")


def test_a_layer_that_is_no_blob_is_refused(folder: Folder) -> None:
    with pytest.raises(SourceError, match="not a blob"):
        folder.layer("blobs/file")


class Pull:
    """Makes a layout, of which a part is deleted after each of the first pulls.

    Attributes:
        made: The folders.
    """

    def __init__(self, folder: Path, times: int = 0, part: str = "") -> None:
        self.made: list[Path] = []
        self._folder = folder
        self._times = times
        self._part = part

    def __call__(self) -> Path:
        path = self._folder / f"pulled-{len(self.made)}"
        (path / "blobs").mkdir(parents=True)
        (path / "blobs/file").write_bytes(DATA)
        (path / "index.json").write_bytes(DATA)
        self.made.append(path)
        if len(self.made) <= self._times:
            self.delete(self._part)
        return path

    def delete(self, part: str) -> None:
        """Delete a part of the last one."""
        gone = self.made[-1] / part
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()


def pulled_image(pull: Pull, progress: FakeProgress) -> Pulled:
    return Pulled(pull, "registry.example.com/app:1", progress, lambda *_: None)


PARTS = ["", "blobs", "blobs/file"]


@pytest.mark.parametrize("part", PARTS)
def test_what_was_pulled_is_pulled_again_where_it_was_deleted(
    tmp_path: Path, progress: FakeProgress, part: str
) -> None:
    pull = Pull(tmp_path)
    pulled = pulled_image(pull, progress)
    assert pulled.document("blobs/file") == DATA
    pull.delete(part)
    assert "blobs/file" in pulled, "its image does not lack it"
    assert pulled.blob("blobs/file", blob(), None) == pull.made[1] / "blobs/file"
    pull.delete(part)
    pulled.check("blobs/file", blob())
    pull.delete(part)
    assert pulled.size("blobs/file") == len(DATA)
    assert len(pull.made) == 4


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("times", [1, 2])
def test_what_is_deleted_again_is_pulled_again(
    tmp_path: Path, progress: FakeProgress, part: str, times: int
) -> None:
    pull = Pull(tmp_path, times, part)
    assert pulled_image(pull, progress).document("blobs/file") == DATA
    assert len(pull.made) == times + 1


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("read", ["document", "size"])
def test_what_is_deleted_each_time_is_not_called_absent(
    tmp_path: Path, progress: FakeProgress, part: str, read: str
) -> None:
    pull = Pull(tmp_path, 99, part)
    with pytest.raises(LostCopyError, match=r"blobs/file of the pulled .* was deleted") as caught:
        getattr(pulled_image(pull, progress), read)("blobs/file")
    assert "lacks" not in str(caught.value)
    assert len(pull.made) == 3


def test_what_no_pull_brings_is_absent(tmp_path: Path, progress: FakeProgress) -> None:
    pulled = pulled_image(Pull(tmp_path), progress)
    assert "manifest.json" not in pulled
    assert "bundle.lock.json" not in pulled
    assert set(pulled.names) == {"blobs", "index.json"}
    with pytest.raises(AbsentError, match="lacks manifest"):
        pulled.document("manifest.json")


@pytest.mark.parametrize("name", ["read_bytes", "stat", "open"])
def test_what_is_deleted_between_two_looks_is_pulled_again(
    tmp_path: Path, progress: FakeProgress, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pull = Pull(tmp_path)
    pulled, real = pulled_image(pull, progress), getattr(Path, name)

    def deleting(path: Path, *args: object, **options: object) -> object:
        if path == pull.made[0] / "blobs/file" and path.exists():
            path.unlink()
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(Path, name, deleting)
    if name == "stat":
        monkeypatch.setattr(Path, "exists", os.path.lexists)
    read = pulled.document if name != "open" else lambda name: pulled.check(name, blob())
    assert read("blobs/file") in (DATA, None)
    assert len(pull.made) == 2
