"""What stands in the store in the place of a file, and is none, is never waited for nor trusted."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.engines.probe_records import ProbeRecords
from dockless.engines.probe_result import ProbeResult
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_media_type
from dockless.oci.packing import GZIP
from dockless.registry.throughput import ThroughputRecords
from dockless.storage import runs
from dockless.storage.blob_store import BlobStore, Usage
from dockless.storage.checks import becomes, difference
from dockless.storage.folders import strays
from dockless.storage.layer_records import head_of
from dockless.storage.resume_log import ResumeLog
from dockless.storage.staging import Staging

# a FIFO that is waited for would end none of these
pytestmark = pytest.mark.timeout(30)

DATA = b"packed"
DIGEST = Digest.of(DATA)
DIFF_ID = Digest.of(b"a layer")
PACKED = Descriptor(media_type=layer_media_type("gzip"), digest=DIGEST, size=len(DATA))
HEAD = head_of(7, b"a layer")


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "file").write_bytes(DATA)


def _link(path: Path) -> None:
    outside(path).write_bytes(DATA)
    path.symlink_to(outside(path))


def _link_to_a_fifo(path: Path) -> None:
    os.mkfifo(outside(path))
    path.symlink_to(outside(path))


def _link_that_leads_nowhere(path: Path) -> None:
    path.symlink_to(outside(path))


def outside(path: Path) -> Path:
    """Return where links lead: beside the store."""
    store = next(each for each in path.parents if each.name == "store")
    return store.parent / "outside"


KINDS: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo,
    "socket": _socket,
    "folder": _folder,
    "link": _link,
    "link to a fifo": _link_to_a_fifo,
    "link that leads nowhere": _link_that_leads_nowhere,
}
ODD = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
Make = Callable[[Path], None]


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    """A store with a layer of which all is known."""
    made = BlobStore(tmp_path / "store")
    fill(made)
    return made


def fill(store: BlobStore) -> None:
    (store.folder.parent / "blob").write_bytes(DATA)
    store.adopt(store.folder.parent / "blob", DIGEST)
    store.remember(DIFF_ID, GZIP, PACKED)
    store.see(HEAD, DIFF_ID)


def begin(store: BlobStore) -> None:
    with store.run():
        pass


def put(path: Path, make: Make) -> None:
    """Make something odd in the place of a file."""
    path.unlink(missing_ok=True)
    outside(path).unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


@ODD
def test_a_record_is_not_known_and_written_again(store: BlobStore, make: Make) -> None:
    put(store.folder / "layers" / f"{DIFF_ID.hex}.gzip", make)
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.packing(DIFF_ID, "gzip") is None
    store.remember(DIFF_ID, GZIP, PACKED)
    assert store.layer(DIFF_ID, "gzip") == PACKED


@ODD
def test_a_head_is_not_known_and_written_again(store: BlobStore, make: Make) -> None:
    put(store.folder / "heads" / HEAD, make)
    assert store.seen(HEAD) is None
    store.see(HEAD, DIFF_ID)
    assert store.seen(HEAD) == DIFF_ID


@ODD
@pytest.mark.parametrize("size", [None, len(DATA)])
def test_a_blob_is_dropped_and_adopted_again(
    store: BlobStore, make: Make, size: int | None
) -> None:
    path = store.folder / "blobs" / "sha256" / DIGEST.hex
    put(path, make)
    assert store.blob(DIGEST, size) is None
    assert not os.path.lexists(path)
    put(path, make)
    fill(store)
    assert store.blob(DIGEST, size) == path
    assert path.read_bytes() == DATA
    assert not path.is_symlink()


@ODD
def test_a_blob_is_no_reason_to_forget_its_record(store: BlobStore, make: Make) -> None:
    put(store.folder / "blobs" / "sha256" / DIGEST.hex, make)
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert BlobStore(store.folder, recheck=True).layer(DIFF_ID, "gzip") is None


@ODD
def test_it_is_told_what_is_no_file(store: BlobStore, make: Make) -> None:
    path = store.folder / "odd"
    put(path, make)
    assert difference(path, PACKED) == "is not a regular file"
    assert difference(path, PACKED, read=False) == "is not a regular file"
    assert not becomes(path, PACKED, DIFF_ID)


@ODD
@pytest.mark.parametrize("read", [True, False])
def test_a_copy_is_lost_and_dropped(store: BlobStore, make: Make, *, read: bool) -> None:
    path = store.folder / "copy"
    put(path, make)
    with pytest.raises(Exception, match="not a regular file"):
        store.prove([(PACKED, path)], read=read)
    assert not os.path.lexists(path)


@ODD
@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize("boot", ["this", "another"])
def test_a_mark_or_what_it_marks_stops_no_push(
    store: BlobStore, make: Make, boot: str, *, is_old: bool
) -> None:
    for place in (runs.mark_of(store.folder / "unflushed", DIGEST), "blobs"):
        mark = runs.mark_of(store.folder / "unflushed", DIGEST)
        if boot == "another":
            mark = mark.with_name(f"another.sha256.{DIGEST.hex}")
        put(store.folder / "blobs" / "sha256" / DIGEST.hex if place == "blobs" else mark, make)
        if place == "blobs":
            mark.touch()
            if is_old:
                os.utime(mark, (0, 0))
        begin(store)
        store.prune(10**9)
        begin(store)
        assert not list(strays(store.folder))


@ODD
@pytest.mark.parametrize("name", ["runs", HEAD[:2], "referrers"])
def test_a_lock_is_made_again(store: BlobStore, make: Make, name: str) -> None:
    put(store.folder / "locks" / name, make)
    begin(store)
    store.turn(name).close()
    store.exclusive(HEAD).close()
    assert (store.folder / "locks" / name).stat().st_size == 0
    lock = store.turn_if_free(name)
    assert lock
    lock.close()


@ODD
def test_what_a_killed_run_left_goes_although_its_lock_is_none(
    store: BlobStore, make: Make
) -> None:
    put(store.folder / "runs" / "1-0000dead" / "lock", make)
    before = outside(store.folder / "x").exists()
    begin(store)
    assert list((store.folder / "runs").iterdir()) == []
    assert outside(store.folder / "x").exists() is before


@pytest.mark.parametrize("make", [os.mkfifo, _socket, _link, _link_that_leads_nowhere])
def test_what_is_no_run_s_folder_goes_and_nothing_is_changed_through_it(
    store: BlobStore, make: Make
) -> None:
    begin(store)
    put(store.folder / "runs" / "1-00000dd0", make)
    begin(store)
    assert list((store.folder / "runs").iterdir()) == []


def test_a_link_to_a_folder_is_no_run_s_folder(store: BlobStore, tmp_path: Path) -> None:
    begin(store)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (store.folder / "runs" / "1-0000115c").symlink_to(tmp_path / "precious")
    begin(store)
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["file"]
    assert list((store.folder / "runs").iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, _socket, _link, _link_that_leads_nowhere, Path.touch])
@pytest.mark.parametrize(
    "name", ["blobs", "blobs/sha256", "layers", "heads", "locks", "runs", "unflushed"]
)
def test_a_folder_of_the_store_is_made_again(tmp_path: Path, make: Make, name: str) -> None:
    store = BlobStore(tmp_path / "store")
    begin(store)
    path = store.folder / name
    if path.exists():
        for each in path.iterdir():
            each.unlink()
        path.rmdir()
    path.parent.mkdir(exist_ok=True)
    make(path)
    store.usage()
    store.prune(10**9)
    if not os.path.lexists(path):
        make(path) if not os.path.lexists(outside(path)) else path.symlink_to(outside(path))
    begin(store)
    fill(store)
    assert store.blob(DIGEST, len(DATA))
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert store.seen(HEAD) == DIFF_ID


RUN = "runs/7-0000000a"
PLACES = (
    *(f"layers/{'0' * 64}.gzip", f"heads/{'0' * 64}", f"unflushed/another.sha256.{'0' * 64}"),
    *("locks/00", "links/example.com.json", f"programs/{'0' * 32}.json"),
    *(f"journals/{'0' * 64}.jsonl", f"blobs/sha256/{'0' * 64}", f"blobs/sha512/{'0' * 128}", RUN),
)


@ODD
@pytest.mark.parametrize("place", PLACES)
def test_prune_removes_what_is_no_regular_file(store: BlobStore, make: Make, place: str) -> None:
    for limit in (10**9, 0):
        begin(store)
        put(store.folder / place, make)
        if place == RUN and make is _folder:
            (store.folder / RUN / "lock").touch()
        usage = store.usage()
        assert usage == Usage(1, len(DATA), 1)
        store.prune(limit)
        assert not os.path.lexists(store.folder / place) or place == RUN
        begin(store)
        assert not os.path.lexists(store.folder / place)


@pytest.mark.parametrize("make", [os.mkfifo, _socket, _link, _link_that_leads_nowhere])
@pytest.mark.parametrize("place", ["x", "blobs/x", ".DS_Store"])
def test_prune_leaves_what_has_no_name_of_dockless(
    store: BlobStore, make: Make, place: str
) -> None:
    put(store.folder / place, make)
    store.prune(10**9)
    assert os.path.lexists(store.folder / place)


def test_blobs_behind_a_link_to_another_disk_are_not_used_and_stay_there(
    store: BlobStore, tmp_path: Path
) -> None:
    (store.folder / "blobs").rename(tmp_path / "disk")
    (store.folder / "blobs").symlink_to(tmp_path / "disk")
    store.prune(0)
    assert store.blob(DIGEST, len(DATA)) is None
    assert (tmp_path / "disk/sha256" / DIGEST.hex).read_bytes() == DATA
    assert not (store.folder / "blobs").is_symlink()


@ODD
def test_a_staged_blob_is_staged_again(store: BlobStore, make: Make) -> None:
    with store.run() as folder, Staging(store, folder, GZIP, 1) as staging:
        store.drop(DIGEST)
        path = folder / "blobs" / DIGEST.hex
        put(path, make)
        assert staging.path(DIGEST) is None
        assert not os.path.lexists(path)
        put(path, make)
        assert staging.read(DIGEST) is None
        staging.document(DATA)
        assert staging.read(DIGEST) == DATA
        put(path, make)
        staging.discard(DIGEST)
        assert not os.path.lexists(path)


@ODD
def test_a_remembered_result_is_not_known_and_written_again(store: BlobStore, make: Make) -> None:
    program = store.folder.parent / "crane"
    program.write_bytes(b"crane")
    records = ProbeRecords(store.folder / "programs")
    result = ProbeResult(passed=True, reason="", moment=1.0)
    records.keep(program, result)
    (path,) = (store.folder / "programs").iterdir()
    put(path, make)
    assert records.of(program, 2.0) is None
    records.keep(program, result)
    assert records.of(program, 2.0) == result
    assert [each.name for each in (store.folder / "programs").iterdir()] == [path.name]


@ODD
def test_what_is_known_of_a_registry_is_not_known_and_written_again(
    store: BlobStore, make: Make
) -> None:
    links = ThroughputRecords(store.folder / "links")
    put(store.folder / "links" / "example.com.json", make)
    assert links.of("example.com").takes_zstd
    links.refused_zstd("example.com")
    assert not links.of("example.com").takes_zstd


@ODD
def test_a_journal_is_begun_anew(store: BlobStore, make: Make) -> None:
    ResumeLog(store.folder / "journals", ("asked",), resume=True).begin()
    (path,) = (store.folder / "journals").iterdir()
    put(path, make)
    resume_log = ResumeLog(store.folder / "journals", ("asked",), resume=True)
    assert not resume_log.begun
    resume_log.begin()
    assert ResumeLog(store.folder / "journals", ("asked",), resume=True).begun
    put(path, make)
    ResumeLog(store.folder / "journals", ("asked",), resume=False).end()
    assert not os.path.lexists(path)


def test_a_lock_that_turns_odd_while_it_is_held_is_none_of_the_next(store: BlobStore) -> None:
    held = store.turn("turn")
    (store.folder / "locks" / "turn").unlink()
    os.mkfifo(store.folder / "locks" / "turn")
    done = threading.Event()

    def take() -> None:
        store.turn("turn").close()
        done.set()

    threading.Thread(target=take, daemon=True).start()
    assert done.wait(20)
    held.close()


def _linked(path: Path) -> None:
    """Move a file out of the store, and lay a link to it."""
    path.rename(outside(path))
    path.symlink_to(outside(path))


def test_a_link_is_not_believed_though_it_leads_to_what_is_right(store: BlobStore) -> None:
    program = store.folder.parent / "crane"
    program.write_bytes(b"crane")
    records = ProbeRecords(store.folder / "programs")
    records.keep(program, ProbeResult(passed=True, reason="", moment=1.0))
    links = ThroughputRecords(store.folder / "links")
    links.refused_zstd("example.com")
    ResumeLog(store.folder / "journals", ("asked",), resume=True).begin()
    for folder in ("layers", "heads", "programs", "links", "journals", "blobs/sha256"):
        (path,) = (store.folder / folder).iterdir()
        path.rename(store.folder.parent / f"of-{path.name}")
        path.symlink_to(store.folder.parent / f"of-{path.name}")
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.packing(DIFF_ID, "gzip") is None
    assert store.seen(HEAD) is None
    assert store.blob(DIGEST) is None
    assert records.of(program, 2.0) is None
    assert links.of("example.com").takes_zstd
    assert not ResumeLog(store.folder / "journals", ("asked",), resume=True).begun


@pytest.mark.parametrize("boot", ["this", "another"])
def test_nothing_is_flushed_or_compared_through_a_link(store: BlobStore, boot: str) -> None:
    (mark,) = (store.folder / "unflushed").iterdir()
    if boot == "another":
        mark = mark.rename(mark.with_name(f"another.sha256.{DIGEST.hex}"))
    os.utime(mark, (0, 0))
    _linked(store.folder / "blobs" / "sha256" / DIGEST.hex)
    begin(store)
    assert mark.exists(), "it is not known to be on the disk"
