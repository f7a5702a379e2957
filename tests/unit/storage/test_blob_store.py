import errno
import fcntl
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import LostCopyError, NetworkError, PushError, UsageError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_media_type
from dockless.oci.packing import GZIP, Packing
from dockless.storage import disk_errors, layer_records, locks, runs
from dockless.storage.blob_store import BlobStore, Usage
from dockless.storage.layer_records import head_of

DIFF_ID = Digest.of(b"a layer")
PACKED = Descriptor(media_type=layer_media_type("gzip"), digest=Digest.of(b"packed"), size=6)


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
    monkeypatch.setattr(runs, "boot", lambda: "")
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
    store.remember(DIFF_ID, Packing(compression="zstd", level=9), PACKED)
    assert store.packing(DIFF_ID, "gzip") == GZIP
    assert store.packing(DIFF_ID, "zstd") == Packing(compression="zstd", level=9)


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
    for name in ("1-0000dead", "2-0000beef"):
        (store.folder / "runs" / name).mkdir(parents=True)
    (store.folder / "runs" / "1-0000dead" / "lock").touch()
    with store.run() as folder:
        assert list((store.folder / "runs").iterdir()) == [folder]


_RUNS = """
import sys
from pathlib import Path
from dockless.storage.blob_store import BlobStore
with BlobStore(Path(sys.argv[1])).run() as folder:
    (folder / "blobs").mkdir()
    (folder / "blobs" / "half").write_text("x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
@pytest.mark.parametrize("sweeps", ["run", "prune"])
def test_what_a_process_that_was_killed_left_goes_and_what_a_living_one_has_stays(
    store: BlobStore, number: signal.Signals, sweeps: str
) -> None:
    argv = (sys.executable, "-c", _RUNS, str(store.folder))
    children = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    found = [Path(os.fsdecode(each.stdout.readline().rstrip())) for each in children if each.stdout]
    *dead, living = children
    for each in dead:
        each.send_signal(number)
        each.communicate()
    try:
        if sweeps == "run":
            with store.run():
                assert [each.exists() for each in found] == [False, False, True]
        else:
            store.prune(0)
        assert [each.exists() for each in found] == [False, False, True]
        assert (found[2] / "blobs" / "half").exists()
    finally:
        living.communicate()
    assert list((store.folder / "runs").iterdir()) == []


def test_a_run_that_is_going_on_is_not_swept(store: BlobStore) -> None:
    with store.run() as first, store.run() as second:
        assert first != second
        assert first.is_dir()


def test_no_run_begins_while_another_is_between_its_folder_and_its_lock(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.run():
        pass
    lock = store.folder / "locks" / "runs"
    seen = []
    monkeypatch.setattr(runs, "sweep", lambda _: seen.append(_can_lock(lock)))
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
        left_over = folder.with_name("3-0000dead")
        left_over.mkdir()
        (left_over / "lock").touch()
        path = store.blob(digest)
        assert path
        os.utime(path, (1, 1))  # used before that push, which goes on, began
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
    store.see("0" * 64, DIFF_ID)
    assert store.prune(0) == 6
    assert store.usage() == Usage(0, 0, 0)
    assert store.seen("0" * 64) is None


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
        store.wait_until(time.monotonic() + 0.05)
        with pytest.raises(NetworkError, match="--timeout"):
            store.turn(name)
    store.turn(name).close()


@pytest.mark.parametrize("size", [0, 5, 7, 1_000_000])
def test_a_blob_of_another_length_is_dropped(store: BlobStore, size: int) -> None:
    digest = adopt(store, b"packed")
    path = store.blob(digest, 6)
    assert path
    os.truncate(path, size)
    assert store.blob(digest, 6) is None
    assert not path.exists()


def test_a_blob_of_another_length_is_replaced_when_it_is_adopted_again(store: BlobStore) -> None:
    digest = adopt(store, b"packed")
    path = store.blob(digest)
    assert path
    os.truncate(path, 2)
    adopt(store, b"packed")
    assert path.read_bytes() == b"packed"


def test_a_record_is_believed_more_than_a_cut_blob(store: BlobStore) -> None:
    digest = adopt(store, b"packed")
    store.remember(DIFF_ID, GZIP, PACKED)
    path = store.blob(digest)
    assert path
    os.truncate(path, 2)
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert store.blob(digest) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("size", 7), ("level", 3), ("digest", str(Digest.of(b"another"))), ("sum", "0" * 16)],
)
def test_a_record_that_was_changed_is_no_record(store: BlobStore, key: str, value: object) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    (record,) = (store.folder / "layers").iterdir()
    record.write_text(json.dumps(json.loads(record.read_text()) | {key: value}))
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.packing(DIFF_ID, "gzip") is None


def test_nor_is_that_of_another_layer(store: BlobStore) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    (record,) = (store.folder / "layers").iterdir()
    record.rename(record.with_name(f"{Digest.of(b'another').hex}.gzip"))
    assert store.layer(Digest.of(b"another"), "gzip") is None


def unsealed(store: BlobStore, diff_id: Digest, digest: Digest, **said: object) -> Path:
    """Write a record as version 0.1.0 did."""
    folder = store.folder / "layers"
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / f"{diff_id.hex}.gzip"
    record.write_text(json.dumps({"digest": str(digest), "level": 1} | said))
    return record


def test_an_older_record_is_sealed_when_its_blob_is_what_it_says(store: BlobStore) -> None:
    data = gzip.compress(b"a layer")
    diff_id, digest = Digest.of(b"a layer"), adopt(store, data)
    record = unsealed(store, diff_id, digest, size=len(data))
    layer = Descriptor(media_type=layer_media_type("gzip"), digest=digest, size=len(data))
    assert store.layer(diff_id, "gzip") == layer
    assert "sum" in json.loads(record.read_text())
    assert BlobStore(store.folder).layer(diff_id, "gzip") == layer
    unsealed(store, diff_id, digest, size=len(data) + 1)
    assert store.layer(diff_id, "gzip") is None
    assert store.layer(diff_id, "gzip") is None, "nor later, when the blob is gone"


@pytest.mark.parametrize("texts", [(b"one", b"two"), (b"", b"x"), (b"a" * 70_000, b"b")])
def test_older_records_that_were_swapped_are_found_out(
    store: BlobStore, texts: tuple[bytes, bytes]
) -> None:
    one, two = texts
    for text, other in ((one, two), (two, one)):
        data = gzip.compress(other)
        unsealed(store, Digest.of(text), adopt(store, data), size=len(data))
    assert store.layer(Digest.of(one), "gzip") is None
    assert store.layer(Digest.of(two), "gzip") is None


@pytest.mark.parametrize("held", [(), (b"one",), (b"two",)])
@pytest.mark.parametrize("recheck", [False, True])
def test_nor_are_swapped_ones_believed_whose_blobs_are_not_in_the_store(
    store: BlobStore,
    held: tuple[bytes, ...],
    recheck: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    for text, other in ((b"one", b"two"), (b"two", b"one")):
        data = gzip.compress(other)
        unsealed(store, Digest.of(text), Digest.of(data), size=len(data))
        if other in held:
            adopt(store, data)
    store = BlobStore(store.folder, recheck=recheck)
    for text in (b"one", b"two"):
        assert store.layer(Digest.of(text), "gzip") is None
        assert store.layer(Digest.of(text), "gzip") is None, "nor when it is asked again"


def test_a_sealed_record_is_enough_without_its_blob(store: BlobStore) -> None:
    store.remember(DIFF_ID, GZIP, PACKED)
    assert BlobStore(store.folder).layer(DIFF_ID, "gzip") == PACKED


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize(
    "said",
    [
        *(
            {"size": size}
            for size in (float("inf"), float("nan"), -1, 2**63, 10**30, 6.5, "6", True)
        ),
        *(
            {"level": level}
            for level in (-7, 0, 4, 10**30, float("inf"), 1.0, "1", None, True, [1])
        ),
    ],
)
def test_a_record_with_impossible_numbers_is_no_record(
    store: BlobStore,
    said: dict[str, object],
    seal: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    entry = {"size": 6} | said
    record = unsealed(store, DIFF_ID, PACKED.digest, **entry)
    if seal:
        entry = json.loads(record.read_text())
        record.write_text(json.dumps(entry | {"sum": layer_records._sum(DIFF_ID, "gzip", entry)}))
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.packing(DIFF_ID, "gzip") is None


def rechecked(store: BlobStore) -> BlobStore:
    return BlobStore(store.folder, recheck=True)


@pytest.fixture
def compressed(store: BlobStore) -> Descriptor:
    """A layer in the store, and its record."""
    data = gzip.compress(b"a layer")
    blob = Descriptor(
        media_type=layer_media_type("gzip"), digest=adopt(store, data), size=len(data)
    )
    store.remember(DIFF_ID, GZIP, blob)
    return blob


def test_a_store_that_is_rechecked_gives_what_is_right(
    store: BlobStore, compressed: Descriptor
) -> None:
    again = rechecked(store)
    assert again.layer(DIFF_ID, "gzip") == compressed
    assert again.blob(compressed.digest, compressed.size)


def test_a_layer_of_another_content_is_found_out(store: BlobStore, compressed: Descriptor) -> None:
    evil = gzip.compress(b"a backdoor")
    blob = replace(compressed, digest=adopt(store, evil), size=len(evil))
    store.remember(DIFF_ID, GZIP, blob)
    assert store.layer(DIFF_ID, "gzip") == blob
    assert rechecked(store).layer(DIFF_ID, "gzip") is None
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.blob(blob.digest) is None


@pytest.mark.parametrize("place", [0, 9, -1])
def test_a_flipped_byte_is_found_out(store: BlobStore, compressed: Descriptor, place: int) -> None:
    path = store.blob(compressed.digest)
    assert path
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert rechecked(store).layer(DIFF_ID, "gzip") is None
    path.write_bytes(data)
    assert rechecked(store).blob(compressed.digest) is None


def test_what_cannot_be_compared_is_not_known(store: BlobStore, compressed: Descriptor) -> None:
    store.drop(compressed.digest)
    assert rechecked(store).layer(DIFF_ID, "gzip") is None


@pytest.mark.parametrize(
    "stray",
    [
        *("unflushed/.nfs000001", "unflushed/.DS_Store", "unflushed/a.b.c", "unflushed/x~"),
        *("blobs/.DS_Store", "blobs/sha256/.nfs01", "blobs/x/", "blobs/sha256/folder/x"),
        *("runs/.DS_Store", "runs/x/y", "layers/.nfs01", "layers/folder/x", "heads/._x"),
        *("locks/.DS_Store", ".DS_Store", "Thumbs.db", "journals/x/y"),
    ],
)
def test_a_stray_file_harms_nothing(store: BlobStore, stray: str) -> None:
    digest = adopt(store, b"packed")
    store.remember(DIFF_ID, GZIP, PACKED)
    path = store.folder / stray
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch() if stray[-1] != "/" else path.mkdir()
    os.utime(marks(store)[0], (0, 0))
    begin(store)
    assert store.blob(digest)
    assert store.usage().layers in (1, 2)
    store.prune(0)
    assert store.blob(digest) is None
    begin(store)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_where_no_lock_can_be_made_nobody_is_waited_for(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    begin(store)
    monkeypatch.setattr(locks, "_open", failing(code))
    store.exclusive(head_of(7, b"a layer")).close()
    with pytest.raises(PushError if code in disk_errors.FULL else UsageError) as caught:
        store.turn("turn")
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_store_in_which_nothing_may_be_deleted_is_an_error(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    adopt(store, b"packed")
    monkeypatch.setattr(Path, "unlink", failing(code))
    with pytest.raises(UsageError, match=os.strerror(code)):
        store.prune(0)


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ENOENT, errno.ESTALE])
def test_a_file_that_cannot_be_deleted_now_stays(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    adopt(store, b"packed")
    monkeypatch.setattr(Path, "unlink", failing(code))
    assert store.prune(0) == 0


def failing(code: int) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def test_what_was_used_since_a_push_began_stays_where_there_are_no_links(
    store: BlobStore,
) -> None:
    used, idle = adopt(store, bytes(10), used=1), adopt(store, bytes(20), used=2)
    with store.run():
        assert store.blob(used)
        assert store.prune(0) == 20
        assert store.blob(used)
    assert store.blob(idle) is None
    assert store.prune(0) == 10


def test_a_run_whose_folder_was_deleted_is_made_again_and_not_swept(store: BlobStore) -> None:
    with store.run() as folder:
        shutil.rmtree(store.folder)
        store.renew()
        assert folder.is_dir()
        begin(store)
        assert folder.is_dir()
        (folder / "mark").touch()
        store.renew()
        assert (folder / "mark").exists(), "nothing was missing"
    assert not folder.exists()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_run_begins_although_the_store_is_deleted_at_this_moment(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    sweep, left = runs.sweep, [times]

    def deleting(folder: Path) -> float:
        if left[0]:
            left[0] -= 1
            shutil.rmtree(store.folder)
            raise FileNotFoundError
        return sweep(folder)

    monkeypatch.setattr(runs, "sweep", deleting)
    with store.run() as folder:
        assert (folder / "lock").exists()


def test_copies_that_are_missing_cut_or_damaged_are_found_and_dropped(store: BlobStore) -> None:
    digests = [adopt(store, bytes([number]) * 100) for number in range(4)]
    copies = []
    for digest in digests:
        path = store.blob(digest)
        assert path
        copies.append((Descriptor(media_type="", digest=digest, size=100), path))
    store.prove(copies, read=True)
    copies[1][1].write_bytes(bytes(100))
    store.prove(copies, read=False)
    with pytest.raises(LostCopyError, match=f"{digests[1]}.*{store.folder}.*damaged"):
        store.prove(copies, read=True)
    copies[2][1].write_bytes(b"cut")
    copies[3][1].unlink()
    with pytest.raises(LostCopyError):
        store.prove(copies, read=False)
    assert [bool(store.blob(digest)) for digest in digests] == [True, False, False, False]


def test_what_is_not_the_store_s_is_not_judged(store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"the user's")
    store.prove([(PACKED, tmp_path / "image")], read=True)
    assert (tmp_path / "image").exists()
