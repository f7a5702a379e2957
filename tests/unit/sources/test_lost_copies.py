"""What was staged of an archive, and is deleted at any moment, is staged once more."""

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from bed.hostile import file, tar
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.sources.files import Files
from dockless.sources.streams import read_stream
from dockless.sources.tarball import PlainTar
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import BLOCK, ReadableStream
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress

LAYER = tar(file("etc/motd", b"hello\n" * 500_000))
NAME = f"blobs/sha256/{Digest.of(LAYER).hex}"
ARCHIVE = tar(file("manifest.json", b"[]"), file(NAME, LAYER))
BLOB = Descriptor(
    media_type="application/vnd.oci.image.layer.v1.tar", digest=Digest.of(LAYER), size=len(LAYER)
)
Lose = Callable[[], None]


@pytest.fixture
def lose(tmp_path: Path, store: BlobStore) -> Lose:
    """Delete all that is staged."""

    def everything() -> None:
        for folder in (tmp_path / "run", store.folder):
            shutil.rmtree(folder, ignore_errors=True)

    return everything


class Losing(io.FileIO):
    """A file during whose reading something happens, once it is at this place."""

    def __init__(self, path: Path, place: int, happens: Lose) -> None:
        super().__init__(path)
        self._place = place
        self._happens = happens

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        if self.tell() > self._place:
            self._place = 1 << 62
            self._happens()
        return data


class Once:
    """Something that happens the first time only."""

    def __init__(self, happens: Lose) -> None:
        self.times = 0
        self._happens = happens

    def __call__(self) -> None:
        self.times += 1
        if self.times == 1:
            self._happens()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "image.tar"
    path.write_bytes(ARCHIVE)
    return path


PLACES = pytest.mark.parametrize("place", [2_000, len(ARCHIVE) // 2, len(ARCHIVE) - 20_000])


def _layer(files: Files) -> Path | None:
    files.layer(NAME)
    return None


def _blob(files: Files) -> Path | None:
    return files.blob(NAME, BLOB, None)


@PLACES
@pytest.mark.parametrize("take", [_layer, _blob])
def test_a_plain_archive_is_read_once_more(
    archive: Path,
    staging: Staging,
    progress: FakeProgress,
    lose: Lose,
    place: int,
    take: Callable[[Files], Path | None],
) -> None:
    once = Once(lose)
    happens: list[Lose] = [lambda: None]

    def open_it() -> IO[bytes]:
        return Losing(archive, place, happens[0])

    files = PlainTar(open_it, "image.tar", staging, progress)
    happens[0] = once  # its headers are read, and nothing is staged
    path = take(files)
    assert once.times > 1 or place < BLOCK, "before the first block nothing is staged yet"
    layer = files.layer(NAME)
    assert layer.diff_id == Digest.of(LAYER)
    assert staging.path(layer.descriptor.digest, layer.descriptor.size)
    if path:
        assert path.read_bytes() == LAYER


@PLACES
def test_a_stream_is_read_once_more(
    archive: Path, staging: Staging, progress: FakeProgress, lose: Lose, place: int
) -> None:
    once = Once(lose)

    @contextlib.contextmanager
    def opener() -> Iterator[ReadableStream]:
        with Losing(archive, place, once) as stream:
            yield stream

    files = read_stream(opener, "image.tar", staging, progress)
    assert once.times > 1 or place < BLOCK, "before the first block nothing is staged yet"
    assert staging.path(files.layer(NAME).descriptor.digest)


@pytest.mark.parametrize("take", [_layer, _blob, lambda files: files.check(NAME, BLOB)])
def test_so_is_one_whose_layers_are_lost_later(
    archive: Path,
    staging: Staging,
    progress: FakeProgress,
    lose: Lose,
    take: Callable[[Files], object],
) -> None:
    opener = partial(io.FileIO, archive)
    files = read_stream(opener, "image.tar", staging, progress)
    for _ in range(2):
        staging.settle()
        lose()
        staging.renew()
        take(files)
        assert files.blob(NAME, BLOB, None).read_bytes() == LAYER


@pytest.mark.parametrize("size", [0, 7, len(LAYER)])
def test_a_file_that_is_compared_is_not_said_to_be_staged(
    tmp_path: Path, staging: Staging, progress: FakeProgress, size: int
) -> None:
    data = LAYER[:size]
    name = f"blobs/sha256/{Digest.of(data).hex}"
    (tmp_path / "one.tar").write_bytes(tar(file(name, data)))
    files = PlainTar(partial(io.FileIO, tmp_path / "one.tar"), "one.tar", staging, progress)
    blob = Descriptor(media_type=BLOB.media_type, digest=Digest.of(data), size=len(data))
    files.check(name, blob)
    assert [task.what.split()[0] for task in progress.tasks] == ["checking"]
    files.blob(name, blob, None)
    assert [task.what.split()[0] for task in progress.tasks] == ["checking", "staging"]
