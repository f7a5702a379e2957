import fcntl
import os
import time
from pathlib import Path

import pytest

from dockless.layout import store as module
from dockless.layout.store import BlobStore, Usage, head_of
from dockless.model.digest import Digest
from dockless.model.errors import NetworkError, UsageError
from dockless.model.manifest import Descriptor, layer_media_type
from dockless.model.packing import GZIP, Packing

DIFF_ID = Digest.of(b"a layer")
PACKED = Descriptor(layer_media_type("gzip"), Digest.of(b"packed"), 6)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


def adopt(store: BlobStore, data: bytes, *, used: float = 0, kept: bool = False) -> Digest:
    """Have the store adopt a blob that was last used at a moment; a running push may keep it."""
    digest = Digest.of(data)
    draft = store.folder.parent / digest.hex
    draft.write_bytes(data)
    store.adopt(draft, digest)
    if not kept:
        draft.unlink()
    path = store.blob(digest)
    assert path
    os.utime(path, (used, used))
    return digest


def test_an_adopted_blob_is_found_and_the_file_stays(store: BlobStore, tmp_path: Path) -> None:
    digest = adopt(store, b"packed", kept=True)
    path = store.blob(digest)
    assert path
    assert path.read_bytes() == b"packed"
    assert (tmp_path / digest.hex).exists()


def test_a_blob_that_was_never_adopted_is_not_there(store: BlobStore) -> None:
    assert store.blob(DIFF_ID) is None


def test_adopting_a_blob_twice_keeps_the_first(store: BlobStore) -> None:
    first = store.blob(adopt(store, b"packed"))
    assert first
    number = first.stat().st_ino
    adopt(store, b"packed")
    assert first.stat().st_ino == number


def marks(store: BlobStore) -> list[Path]:
    return sorted((store.folder / "unflushed").iterdir())


def begin(store: BlobStore) -> None:
    """Begin a push, and end it at once."""
    with store.run():
        pass


def test_a_blob_is_flushed_by_a_later_push(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    digest = adopt(store, b"packed")
    begin(store)
    assert (len(marks(store)), flushed) == (1, [])
    os.utime(marks(store)[0], (0, 0))
    begin(store)
    assert (marks(store), len(flushed)) == ([], 1)
    assert store.blob(digest)


@pytest.mark.parametrize(
    ("data", "stays"), [(b"packed", True), (b"pa\0\0\0\0", False), (b"", False)]
)
def test_after_a_crash_of_the_machine_a_blob_is_compared_once(
    store: BlobStore, data: bytes, *, stays: bool
) -> None:
    digest = adopt(store, b"packed")
    [mark] = marks(store)
    mark.rename(mark.with_name(f"another-boot.sha256.{digest.hex}"))
    path = store.blob(digest)
    assert path
    path.write_bytes(data)
    begin(store)
    assert marks(store) == []
    assert (store.blob(digest) is not None) is stays


def test_a_mark_of_a_blob_that_was_pruned_goes(store: BlobStore) -> None:
    adopt(store, b"packed")
    store.prune(0)
    os.utime(marks(store)[0], (0, 0))
    begin(store)
    assert marks(store) == []


def test_where_no_boot_is_told_blobs_are_flushed_at_once(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    monkeypatch.setattr(module, "_boot", lambda: "")
    adopt(store, b"packed")
    assert len(flushed) == 1
    assert not (store.folder / "unflushed").exists()


def test_looking_for_a_blob_marks_it_as_used(store: BlobStore) -> None:
    path = store.blob(adopt(store, b"packed", used=1))
    assert path
    assert path.stat().st_mtime > 1


def test_a_layers_compressed_form_is_remembered_for_each_compression(store: BlobStore) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert store.layer(DIFF_ID, "zstd") is None
    store.remember(DIFF_ID, Packing("zstd", 9), PACKED)
    assert store.packing(DIFF_ID, "gzip") == GZIP
    assert store.packing(DIFF_ID, "zstd") == Packing("zstd", 9)


@pytest.mark.parametrize(
    "damage", ["", "not json", "[]", '{"digest": "sha256:1", "size": 1}', "{}"]
)
def test_a_damaged_record_is_no_record(store: BlobStore, damage: str) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    (record,) = (store.folder / "layers").iterdir()
    record.write_text(damage)
    assert store.layer(DIFF_ID, "gzip") is None


def test_a_layer_is_known_again_by_its_head(store: BlobStore) -> None:
    head = head_of(7, b"a layer")
    assert store.seen(head) is None
    store.see(head, DIFF_ID)
    assert store.seen(head) == DIFF_ID
    (store.folder / "heads" / head).write_text("damaged")
    assert store.seen(head) is None


def test_heads_differ_by_length_and_by_content() -> None:
    assert len({head_of(7, b"a layer"), head_of(8, b"a layer"), head_of(7, b"a block")}) == 3


def _can_lock(path: Path) -> bool:
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_head_is_locked_until_its_lock_is_closed(store: BlobStore) -> None:
    lock = store.exclusive(head_of(7, b"a layer"))
    assert not _can_lock(Path(str(lock.name)))
    lock.close()
    assert _can_lock(Path(str(lock.name)))


def test_a_run_has_a_folder_that_goes_with_it(store: BlobStore) -> None:
    with store.run() as folder:
        (folder / "draft").write_bytes(b"")
        assert folder.is_dir()
    assert not folder.exists()


def test_a_run_that_fails_leaves_nothing(store: BlobStore) -> None:
    with pytest.raises(KeyboardInterrupt), store.run():
        raise KeyboardInterrupt
    assert list((store.folder / "runs").iterdir()) == []


def test_what_a_killed_run_left_is_swept_by_the_next(store: BlobStore) -> None:
    for name in ("1-killed", "2-killed-before-its-lock"):
        (store.folder / "runs" / name).mkdir(parents=True)
    (store.folder / "runs" / "1-killed" / "lock").touch()
    with store.run() as folder:
        assert list((store.folder / "runs").iterdir()) == [folder]


def test_a_run_that_is_going_on_is_not_swept(store: BlobStore) -> None:
    with store.run() as first, store.run() as second:
        assert first != second
        assert first.is_dir()


def test_no_run_begins_while_another_is_between_its_folder_and_its_lock(store: BlobStore) -> None:
    with store.run():
        pass
    lock = store.folder / "locks" / "runs"
    seen = []
    store._sweep = lambda: seen.append(_can_lock(lock))  # type: ignore[method-assign] # to look in
    with store.run():
        assert _can_lock(lock)
    assert seen == [False]


def test_the_folder_is_the_users_alone(store: BlobStore) -> None:
    with store.run():
        assert store.folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_used_is_an_error_that_says_how_to_move_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="DOCKLESS_CACHE_DIR"), BlobStore(tmp_path / "file").run():
        pass


def test_usage_counts_blobs_bytes_and_layers(store: BlobStore) -> None:
    assert store.usage() == Usage(0, 0, 0)
    adopt(store, b"one")
    adopt(store, b"three")
    store.remember(DIFF_ID, GZIP, PACKED)
    assert store.usage() == Usage(2, 8, 1)


def test_pruning_deletes_the_least_recently_used_first(store: BlobStore) -> None:
    newer = adopt(store, bytes(10), used=2)
    older = adopt(store, bytes(20), used=1)
    newest = adopt(store, bytes(30), used=3)
    assert store.prune(45) == 20
    assert store.blob(older) is None
    assert store.blob(newer)
    assert store.blob(newest)


def test_what_a_running_push_has_linked_is_neither_deleted_nor_counted(store: BlobStore) -> None:
    used = adopt(store, bytes(10), used=1, kept=True)
    idle = adopt(store, bytes(20), used=2)
    assert store.prune(0) == 20
    assert store.blob(used)
    assert store.blob(idle) is None


def test_what_a_killed_push_had_linked_is_deleted(store: BlobStore) -> None:
    digest = adopt(store, bytes(10))
    with store.run() as folder:
        left_over = folder.with_name("killed")
        left_over.mkdir()
        (left_over / "lock").touch()
        path = store.blob(digest)
        assert path
        os.link(path, left_over / "blob")
    assert store.prune(0) == 10
    assert not left_over.exists()


def test_pruning_below_the_limit_deletes_nothing(store: BlobStore) -> None:
    adopt(store, bytes(10))
    assert store.prune(10) == 0
    assert store.usage().blobs == 1


def test_what_is_known_of_layers_outlives_their_blobs(store: BlobStore) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    adopt(store, b"packed")
    store.prune(1)
    assert store.usage() == Usage(0, 0, 1)


def test_pruning_everything_forgets_everything(store: BlobStore) -> None:
    adopt(store, b"packed")
    store.remember(DIFF_ID, GZIP, PACKED)
    store.see("head", DIFF_ID)
    assert store.prune(0) == 6
    assert store.usage() == Usage(0, 0, 0)
    assert store.seen("head") is None


def test_what_nobody_asked_for_in_90_days_is_forgotten(store: BlobStore) -> None:
    for number, days in enumerate((89, 91)):
        store.remember(Digest.of(b"%d" % number), GZIP, PACKED)
        record = store.folder / "layers" / f"{Digest.of(b'%d' % number).hex}.gzip"
        moment = time.time() - days * 24 * 3600
        os.utime(record, (moment, moment))
    store.prune(10**9)
    assert store.layer(Digest.of(b"0"), "gzip") == PACKED
    assert store.layer(Digest.of(b"1"), "gzip") is None


def test_using_a_record_keeps_it(store: BlobStore) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    (record,) = (store.folder / "layers").iterdir()
    os.utime(record, (1, 1))
    assert store.layer(DIFF_ID, "gzip") == PACKED
    store.prune(10**9)
    assert store.layer(DIFF_ID, "gzip") == PACKED


def test_pruning_and_measuring_pass_over_what_another_push_deletes_meanwhile(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(store, b"packed")
    store.remember(DIFF_ID, GZIP, PACKED)
    stat = Path.stat

    def vanish(path: Path, **how: bool) -> os.stat_result:
        if path.is_relative_to(store.folder) and path.suffix == ".gzip":
            raise FileNotFoundError
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", vanish)
    assert store.usage() == Usage(1, 6, 0)
    assert store.prune(10) == 0


def test_a_record_may_be_pruned_while_it_is_written(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def pruned(path: Path, target: Path) -> Path:
        store.prune(0)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", pruned)
    store.remember(DIFF_ID, GZIP, PACKED)
    assert store.layer(DIFF_ID, "gzip") is None


@pytest.mark.parametrize("name", ["runs", "referrers-1", "ab"])
def test_a_lock_of_another_is_waited_for_until_the_deadline(store: BlobStore, name: str) -> None:
    other = BlobStore(store.folder)
    with other.turn(name):
        store.until = time.monotonic() + 0.05
        with pytest.raises(NetworkError, match="--timeout"):
            store.turn(name)
    store.turn(name).close()
