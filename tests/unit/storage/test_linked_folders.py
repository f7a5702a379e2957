"""A symbolic link in the place of a folder of the store leads nothing of dockless out of it."""

import os
from pathlib import Path

import pytest

from dockless.engines.probe_records import ProbeRecords
from dockless.engines.probe_result import ProbeResult
from dockless.oci.digest import Digest
from dockless.registry.throughput import ThroughputRecords
from dockless.storage import folders
from dockless.storage.blob_store import BlobStore, Usage
from dockless.storage.resume_log import ResumeLog
from dockless.storage.runs import sweep

pytestmark = pytest.mark.timeout(30)

DATA = b"a blob"
DIGEST = Digest.of(DATA)
NAMES = (
    *("runs", "layers", "heads", "locks", "links", "journals", "unflushed", "programs"),
    *("blobs", "blobs/sha256", "blobs/sha512"),
)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    made = BlobStore(tmp_path / "store")
    with made.run():
        pass
    return made


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """What nobody may touch; it looks like parts of a store here and there."""
    folder = tmp_path / "precious"
    (folder / "project/src").mkdir(parents=True)
    (folder / "project/src/main.c").write_text("x")
    (folder / "sha256").mkdir()
    for name in ("file.txt", "old.jsonl", DIGEST.hex, f"sha256/{DIGEST.hex}", "0.gzip"):
        (folder / name).write_text("not yours")
    (folder / f"another.sha256.{DIGEST.hex}").write_text("no mark")
    os.mkfifo(folder / "fifo")
    (folder / "link").symlink_to("file.txt")
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (1, 1), follow_symlinks=False)
    return folder


def look(folder: Path) -> list[tuple[str, int, int, int]]:
    """Return what is in a folder at any depth, with what would show that it was changed."""
    found = ((str(path), path.lstat()) for path in sorted((folder, *folder.rglob("*"))))
    return [(name, each.st_ino, each.st_size, each.st_mtime_ns) for name, each in found]


def lay(store: BlobStore, name: str, aim: Path) -> None:
    """Lay a link in the place of a folder."""
    path = store.folder / name
    if path.exists():
        path.rename(store.folder.parent / "moved")
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(aim)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", ["run", "prune", "usage", "ready"])
def test_nothing_is_changed_through_it(
    store: BlobStore, precious: Path, name: str, first: str
) -> None:
    lay(store, name, precious)
    before = look(precious)
    if first == "prune":
        store.prune(0)
    elif first == "usage":
        assert store.usage() == Usage(0, 0, 0)
    elif first == "ready":
        store.ready()
    with store.run() as folder:
        (folder / "blob").write_bytes(DATA)
        store.adopt(folder / "blob", DIGEST)
    assert store.blob(DIGEST, len(DATA))
    store.prune(0)
    assert look(precious) == before
    assert not (store.folder / name).is_symlink()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_changed_through_one_that_is_laid_while_a_push_goes_on(
    store: BlobStore, precious: Path, name: str
) -> None:
    before = look(precious)
    with store.run() as folder:
        (folder / "blob").write_bytes(DATA)
        draft = store.folder.parent / "draft"
        draft.write_bytes(DATA)
        lay(store, name, precious)
        assert store.blob(DIGEST, len(DATA)) is None
        store.drop(DIGEST)
        store.renew()
        store.adopt(draft, DIGEST)
        store.see("f" * 64, DIGEST)
        store.prune(0)
    assert look(precious) == before


@pytest.mark.parametrize("name", ["runs", "anything"])
def test_no_listing_goes_through_it(tmp_path: Path, precious: Path, name: str) -> None:
    (tmp_path / name).symlink_to(precious)
    before = look(precious)
    assert sweep(tmp_path / name) == float("inf")
    assert folders.listed(tmp_path / name) == []
    assert folders.files(tmp_path / name) == []
    assert look(precious) == before


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256", "layers", "locks"])
def test_what_is_found_to_be_stray_is_the_link(store: BlobStore, precious: Path, name: str) -> None:
    lay(store, name, precious)
    assert next(iter(folders.strays(store.folder))) == store.folder / name
    assert all(path.parent != precious for path in folders.strays(store.folder))


def test_journals_links_and_results_are_kept_in_the_store(store: BlobStore, precious: Path) -> None:
    for name in ("journals", "links", "programs"):
        lay(store, name, precious)
    before = look(precious)
    resume_log = ResumeLog(store.folder / "journals", ("asked",), resume=True)
    resume_log.begin()
    ThroughputRecords(store.folder / "links").refused_zstd("example.com")
    program = store.folder.parent / "crane"
    program.write_bytes(b"crane")
    result = ProbeResult(passed=True, reason="", moment=1.0)
    ProbeRecords(store.folder / "programs").keep(program, result)
    resume_log.end()
    assert look(precious) == before
    assert not ThroughputRecords(store.folder / "links").of("example.com").takes_zstd
    assert ProbeRecords(store.folder / "programs").of(program, 2.0) == result
