import json
import os
from pathlib import Path

import pytest

from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_media_type
from dockless.oci.packing import GZIP
from dockless.storage.blob_store import BlobStore
from dockless.storage.locks import lock_file
from dockless.storage.store_names import MARK

DIFF_ID = Digest.of(b"a layer")
PACKED = Descriptor(media_type=layer_media_type("gzip"), digest=Digest.of(b"packed"), size=6)
HEAD = "0" * 64
OTHERS = (
    "links/registry.example.json",
    f"journals/{'1' * 64}.jsonl",
    f"programs/{'1' * 32}.json",
)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """What version 0.1.0 left in the folder that is now the parent."""
    store = BlobStore(tmp_path / "shared")
    with store.run():
        (tmp_path / "blob").write_bytes(b"packed")
        store.adopt(tmp_path / "blob", PACKED.digest)
        store.remember(DIFF_ID, GZIP, PACKED)
        store.see(HEAD, DIFF_ID)
    (store.folder / MARK).unlink()
    for name in OTHERS:
        (store.folder / name).parent.mkdir(exist_ok=True)
        (store.folder / name).write_text("{}")
    return store.folder


def new(older: Path) -> BlobStore:
    return BlobStore(older / str(os.geteuid()), older)


def begin(store: BlobStore) -> None:
    with store.run():
        pass


def test_what_an_older_version_kept_is_moved_and_used(older: Path) -> None:
    store = new(older)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert store.seen(HEAD) == DIFF_ID
    assert store.blob(PACKED.digest, 6)
    for name in OTHERS:
        assert (store.folder / name).read_text() == "{}"
    assert list(older.iterdir()) == [store.folder]


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1777, 0o777])
def test_it_is_moved_whoever_may_write_to_the_folder(older: Path, mode: int) -> None:
    older.chmod(mode)
    store = new(older)
    assert store.ready()
    assert store.usage().blobs == 1


def test_what_is_there_already_stays(older: Path) -> None:
    store = new(older)
    other = Descriptor(media_type=PACKED.media_type, digest=Digest.of(b"other"), size=5)
    store.remember(DIFF_ID, GZIP, other)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") == other
    assert not (older / "layers").exists()


@pytest.mark.parametrize("part", ["layers", "blobs/sha256", "heads"])
@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_what_others_may_have_written_is_not_moved(older: Path, part: str, mode: int) -> None:
    older.chmod(0o755)
    (older / part).chmod(mode)
    store = new(older)
    begin(store)
    assert list((older / part).iterdir())
    assert not (store.folder / part).exists() or not list((store.folder / part).iterdir())


def test_nor_what_is_somebody_else_s_or_a_link(older: Path, tmp_path: Path) -> None:
    for name in ("layers", "heads"):
        (older / name).rename(tmp_path / name)
        (older / name).symlink_to(tmp_path / name)
    (older / "blobs/sha256" / "0").symlink_to(tmp_path / "blob")
    store = new(older)
    begin(store)
    assert store.layer(DIFF_ID, "gzip") is None
    assert list((tmp_path / "layers").iterdir())
    assert store.usage().blobs == 1
    assert (older / "blobs/sha256" / "0").is_symlink()


def test_nothing_moves_under_an_older_run_and_what_a_killed_one_left_goes(older: Path) -> None:
    for name in ("1-00000001", "2-00000002"):
        (older / "runs" / name).mkdir()
    (older / "runs" / "2-00000002" / "lock").touch()
    store = new(older)
    with lock_file(older / "runs" / "1-00000001" / "lock"):
        begin(store)
        assert [path.name for path in (older / "runs").iterdir()] == ["1-00000001"]
        assert (older / "layers").exists()
    begin(store)
    assert store.layer(DIFF_ID, "gzip") == PACKED
    assert list(older.iterdir()) == [store.folder]


@pytest.mark.parametrize("left", [0, 1, 5])
@pytest.mark.parametrize("where", ["older", "newer"])
@pytest.mark.parametrize("first", ["layer", "blob"])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_cut_blob_is_not_taken_for_a_whole_one(
    older: Path,
    where: str,
    left: int,
    first: str,
    sealed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    store, name = new(older), f"blobs/sha256/{PACKED.digest.hex}"
    if where == "newer":
        begin(BlobStore(store.folder))
        (store.folder / name).parent.mkdir(parents=True)
    cut = (older if where == "older" else store.folder) / name
    cut.unlink(missing_ok=True)
    cut.write_bytes(b"packed"[:left])
    if not sealed:  # as version 0.1.0 wrote it
        entry = {"digest": str(PACKED.digest), "size": PACKED.size, "level": 1}
        (older / "layers" / f"{DIFF_ID.hex}.gzip").write_text(json.dumps(entry))
    begin(store)
    if first == "blob":
        assert store.blob(PACKED.digest, PACKED.size) is None
    else:
        assert store.layer(DIFF_ID, "gzip") == (PACKED if sealed else None)
    assert store.usage().blobs == 0
    assert store.layer(DIFF_ID, "gzip") == (PACKED if sealed else None)
    (older.parent / "again").write_bytes(b"packed")
    store.adopt(older.parent / "again", PACKED.digest)
    whole = store.blob(PACKED.digest, PACKED.size)
    assert whole
    assert whole.read_bytes() == b"packed"


def test_what_only_looks_like_a_part_of_a_store_is_left_alone(tmp_path: Path) -> None:
    image = tmp_path / "shared" / "blobs" / "sha256" / PACKED.digest.hex
    image.parent.mkdir(parents=True)
    image.write_bytes(b"packed")
    begin(new(tmp_path / "shared"))
    assert image.read_bytes() == b"packed"
