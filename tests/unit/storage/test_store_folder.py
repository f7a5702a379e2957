"""Nothing that dockless did not make is taken for a store, changed or removed."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.engines.probe_records import ProbeRecords
from dockless.engines.probe_result import ProbeResult
from dockless.errors import UsageError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_media_type
from dockless.oci.packing import GZIP
from dockless.storage import store_folder
from dockless.storage.blob_store import BlobStore, Usage
from dockless.storage.folders import listed

MARK = "CACHEDIR.TAG"
HEX = "0123456789abcdef" * 4
OLD = 1_000_000
DATA = b"packed"
DIFF_ID = Digest.of(b"a layer")
PACKED = Descriptor(media_type=layer_media_type("gzip"), digest=Digest.of(DATA), size=len(DATA))


def make(folder: Path, name: str) -> Path:
    """Make something: a folder `x/`, a link `x@`, a FIFO `x|`, a socket `x=`, or a file `x`."""
    path = folder / name.rstrip("/@|=")
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("/"):
        path.mkdir()
    elif name.endswith("@"):
        path.symlink_to("/etc")
    elif name.endswith("|"):
        os.mkfifo(path)
    elif name.endswith("="):
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        path.write_text("a year of work")
    os.utime(path, (OLD, OLD), follow_symlinks=False)
    return path


def look(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Return what is in a folder at any depth, with what would show that it was changed."""
    found = ((str(path), path.lstat()) for path in sorted((folder, *folder.rglob("*"))))
    return [(p, s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns) for p, s in found]


def begin(store: BlobStore) -> None:
    with store.run():
        pass


def fill(store: BlobStore) -> None:
    """Have a store know all of a layer."""
    begin(store)
    (store.folder.parent / "blob").write_bytes(DATA)
    store.adopt(store.folder.parent / "blob", PACKED.digest)
    store.remember(DIFF_ID, GZIP, PACKED)
    store.see(HEX, DIFF_ID)


def keep(store: BlobStore) -> None:
    """Keep the result of a probe, as `tools list` does."""
    program = store.folder.parent / "crane"
    program.write_bytes(b"crane")
    ProbeRecords(store.folder / "programs").keep(
        program, ProbeResult(passed=True, reason="", moment=1.0)
    )


DOINGS: dict[str, Callable[[BlobStore], object]] = {
    "run": begin,
    "ready": BlobStore.ready,
    "turn": lambda store: store.turn_if_free("bundle-1"),
}

FOREIGN = (
    *("bus=", "app.pipe|", "session-link@", "notes.txt", ".ssh/id_ed25519", ".bashrc", "empty/"),
    *("runs/experiment-1/results.csv", "runs/2024-20240501/results.csv", "runs/1-0000000a@"),
    *("layers/shapefiles@", "layers/soil.gzip", "heads/of-state.json", "locks/runs", "locks/x/y"),
    *("blobs/sha256/notes", "blobs/x", "blobs/", "links/home.txt", "journals/today.jsonl"),
    *("programs/crane.json", "unflushed/a.b.c", "VERSION", "CACHEDIR.TAG"),
)


@pytest.mark.parametrize("name", [each for each in FOREIGN if each != "blobs/"])
@pytest.mark.parametrize("do", DOINGS.values(), ids=DOINGS)
def test_a_folder_that_dockless_did_not_make_is_refused_and_left_alone(
    tmp_path: Path, name: str, do: Callable[[BlobStore], object]
) -> None:
    folder = tmp_path / "1000"
    folder.mkdir(mode=0o700)
    make(folder, name)
    before = look(folder)
    with pytest.raises(UsageError, match="is not a store of dockless: it has") as caught:
        do(BlobStore(folder, tmp_path))
    assert "DOCKLESS_CACHE_DIR to another folder" in caught.value.remedy
    keep(BlobStore(folder))
    assert look(folder) == before


@pytest.mark.parametrize("name", ["bus=", "notes.txt", "runs/experiment-1/results.csv"])
def test_a_reading_command_refuses_it_too(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)
    before = look(tmp_path)
    with pytest.raises(UsageError, match="is not a store of dockless"):
        BlobStore(tmp_path).check()
    assert look(tmp_path) == before


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("lost+found/",),
        (".nfs000000a1", ".DS_Store", "._x"),
        ("blobs/sha256/" + HEX,),
        (f"programs/{HEX[:32]}.json", "programs/.DS_Store"),
        (f"layers/{HEX}.gzip", f"heads/{HEX}", f"layers/.{HEX}.zstd.0a1b2c3d"),
        (f"journals/{HEX}.jsonl", "links/registry.example.json", "links/localhost%3A5000.json"),
        ("runs/12-0000000a/", "unflushed/a-b.sha512." + HEX * 2),
        ("blobs/", "layers/", "locks/"),
        (f"{MARK}/", "locks/runs/", f"layers/{HEX}.gzip/"),
        (f"{MARK}|", "locks/runs=", f"layers/{HEX}.gzip@"),
    ],
)
def test_an_empty_folder_and_a_store_of_an_older_version_are_taken_and_marked(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    folder = tmp_path / "1000"
    folder.mkdir()
    for name in names:
        make(folder, name)
    kept = [folder / name for name in names if name.startswith(("blobs/sha", "programs"))]
    begin(BlobStore(folder))
    assert "made by dockless" in (folder / MARK).read_text()
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize("there", [(), ("lost+found/",), (f"layers/{HEX}.gzip",)])
@pytest.mark.parametrize("doing", [begin, fill, keep, "removes"])
def test_a_store_that_another_process_makes_meanwhile_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    doing: Callable[[BlobStore], object] | str,
) -> None:
    folder = tmp_path / "1000"
    folder.mkdir(mode=0o700)
    for name in there:
        make(folder, name)
    first = True

    def meanwhile(path: Path) -> list[Path]:
        nonlocal first
        if first and path == folder:
            first = False
            found = list(listed(path))
            if callable(doing):
                doing(BlobStore(folder))
                found = list(listed(path))
            else:
                shutil.rmtree(folder)
            return found
        return list(listed(path))

    monkeypatch.setattr(store_folder, "listed", meanwhile)
    begin(BlobStore(folder))
    assert not first


@pytest.mark.parametrize("name", ["notes.txt", "bus=", ".ssh/id_ed25519"])
@pytest.mark.parametrize("known", [MARK, "locks/runs"])
def test_a_store_is_taken_whatever_else_is_in_it(tmp_path: Path, name: str, known: str) -> None:
    store = BlobStore(tmp_path / "1000")
    begin(store)
    (store.folder / (MARK if known != MARK else "locks/runs")).unlink()
    path = make(store.folder, name)
    begin(store)
    assert os.path.lexists(path)


@pytest.mark.parametrize("name", [each for each in FOREIGN if each not in ("locks/runs", MARK)])
def test_what_others_put_into_a_store_stays(tmp_path: Path, name: str) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    if name == "blobs/":
        name = "blobs/x/"
    path = make(store.folder, name)
    stays = name != "runs/1-0000000a@"
    for _ in range(2):
        begin(store)
        store.prune(10**9)
        store.prune(0)
        store.usage()
    assert os.path.lexists(path) is stays


def test_what_others_put_into_it_is_not_counted(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    for name in ("layers/soil.gzip", "blobs/sha256/notes", "blobs/x/" + HEX):
        make(store.folder, name)
    assert store.usage() == Usage(1, len(DATA), 1)


@pytest.mark.parametrize(
    "name",
    ["runs/experiment-1/results.csv", "layers/shapefiles@", "layers/soil.gzip", "locks/mine",
     "blobs/sha256/notes", "blobs/mine/x", "programs/crane.json", "heads/of-state"],
)  # fmt: skip
@pytest.mark.parametrize("first", ["an older store", "its own lock"])
def test_nothing_of_others_is_moved_out_of_the_folder_of_stores(
    tmp_path: Path, name: str, first: str
) -> None:
    shared = tmp_path / "shared"
    if first == "an older store":
        begin(BlobStore(shared))
        (shared / MARK).unlink()
    else:
        (shared / "locks").mkdir(parents=True)
        (shared / "locks" / "runs").write_text("")
    path = make(shared, name)
    store = BlobStore(shared / "1000", shared)
    begin(store)
    store.prune(0)
    assert os.path.lexists(path)


@pytest.mark.parametrize("text", ["5 km", "\n", "the locks of the canal"])
def test_a_file_of_the_name_of_the_first_lock_shows_no_older_store(
    tmp_path: Path, text: str
) -> None:
    shared = tmp_path / "shared"
    (shared / "locks").mkdir(parents=True)
    (shared / "locks" / "runs").write_text(text)
    kept = make(shared, f"layers/{HEX}.gzip")
    begin(BlobStore(shared / "1000", shared))
    assert kept.exists()
    assert (shared / "locks" / "runs").read_text() == text


@pytest.mark.parametrize("lock", ["runs", "older", "x"])
def test_a_link_to_a_folder_with_such_a_lock_shows_no_store(tmp_path: Path, lock: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / lock).touch()
    folder = tmp_path / "1000"
    folder.mkdir(mode=0o700)
    (folder / "locks").symlink_to(tmp_path / "project")
    with pytest.raises(UsageError, match="is not a store"):
        begin(BlobStore(folder))
    assert (folder / "locks").is_symlink()


@pytest.mark.parametrize("name", ["layers", "runs", "blobs", "links", "programs"])
def test_measuring_changes_nothing(tmp_path: Path, name: str) -> None:
    shared = tmp_path / "shared"
    older = BlobStore(shared)
    fill(older)
    (shared / MARK).unlink()
    store = BlobStore(shared / "1000", shared)
    store.folder.mkdir(mode=0o700)
    make(store.folder, f"{name}@")
    (shared / "1000" / MARK).write_text("# made by dockless")
    before = look(shared)
    store.check()
    assert store.usage() == Usage(1, len(DATA), 1)
    assert look(shared) == before


def test_a_run_that_is_half_removed_is_still_known_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BlobStore(tmp_path / "1000")
    folder = store._work.new()
    store._work.begin(folder, lambda: None)
    for name in ("a", "z"):
        make(folder, f"{name}/file")
    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", _killed)
        with pytest.raises(KeyboardInterrupt):
            store._work.end(folder)
    assert (folder / "lock").exists()
    begin(store)
    assert not folder.exists()


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("mode", [0o755, 0o711, 0o750])
def test_the_store_is_closed_to_others_when_it_is_opened(tmp_path: Path, mode: int) -> None:
    store = BlobStore(tmp_path / "1000")
    begin(store)
    store.folder.chmod(mode)
    begin(store)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def poisoned(store: BlobStore) -> Descriptor:
    """Have the record of a layer name another blob, as somebody else may write it."""
    (store.folder.parent / "evil").write_bytes(b"a backdoor")
    evil = Descriptor(
        media_type=PACKED.media_type, digest=Digest.of(b"a backdoor"), size=len(b"a backdoor")
    )
    store.adopt(store.folder.parent / "evil", evil.digest)
    store.remember(DIFF_ID, GZIP, evil)
    return evil


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o722, 0o1777, 0o1700])
@pytest.mark.parametrize("top", [0o700, 0o755])
def test_what_others_may_have_written_is_compared_before_it_is_used(
    tmp_path: Path, mode: int, top: int
) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    poisoned(store)
    store.folder.chmod(top)
    for name in ("layers", "heads", "blobs", "blobs/sha256", "runs"):
        (store.folder / name).chmod(mode)
    store = BlobStore(store.folder)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") is None
    assert store.seen(HEX) is None
    for name in ("layers", "heads", "blobs", "blobs/sha256", "runs"):
        assert stat.S_IMODE((store.folder / name).stat().st_mode) == 0o700
    store.remember(DIFF_ID, GZIP, PACKED)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") == PACKED, "once is enough"


@pytest.mark.parametrize("mode", [0o666, 0o622, 0o664])
def test_so_is_a_record_that_others_may_have_written(tmp_path: Path, mode: int) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    poisoned(store)
    (store.folder / "layers").chmod(0o755)
    (store.folder / "layers" / f"{DIFF_ID.hex}.gzip").chmod(mode)
    store = BlobStore(store.folder)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") is None


def test_a_record_that_only_this_user_could_write_stays_sealed(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    (record,) = (store.folder / "layers").iterdir()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    (store.folder / "layers").chmod(0o755)
    begin(store)
    assert "sum" in json.loads(record.read_text())


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o027])
def test_records_are_this_users_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        fill(BlobStore(tmp_path / "1000"))
    finally:
        os.umask(before)
    for path in (tmp_path / "1000").rglob("*"):
        if path.parent.name in ("layers", "heads") or path.is_dir():
            assert not path.stat().st_mode & 0o077, path


@pytest.mark.parametrize("damage", ["", "not json", "[]"])
def test_a_damaged_record_that_others_may_have_written_goes(tmp_path: Path, damage: str) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    (record,) = (store.folder / "layers").iterdir()
    record.write_text(damage)
    (store.folder / "layers").chmod(0o777)
    begin(store)
    assert not record.exists()


@pytest.mark.parametrize("name", ["layers", "blobs", "blobs/sha256", "runs", "locks"])
def test_a_folder_of_somebody_else_in_a_store_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = BlobStore(tmp_path / "1000")
    fill(store)
    begin(store)
    lstat = Path.lstat

    def others(path: Path) -> os.stat_result:
        found = lstat(path)
        if path == store.folder / name:
            return os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))
        return found

    monkeypatch.setattr(Path, "lstat", others)
    with pytest.raises(UsageError, match=f"{name} belongs to uid") as caught:
        begin(store)
    assert "Delete that folder" in caught.value.remedy


def test_opening_a_store_looks_at_a_few_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BlobStore(tmp_path / "1000", tmp_path)
    fill(store)
    for number in range(50):
        store.remember(Digest.of(b"%d" % number), GZIP, PACKED)
    looks: list[Path] = []
    lstat = Path.lstat

    def look(path: Path) -> os.stat_result:
        looks.append(path)
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", look)
    assert store.ready()
    assert len(looks) <= 16
