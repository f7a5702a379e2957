import bz2
import contextlib
import errno
import gzip
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from dockless.errors import LostCopyError, PushError, SourceError
from dockless.oci.content import single
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Descriptor,
    image_manifest,
    layer_media_type,
)
from dockless.oci.packing import Compression, Packing, asked
from dockless.storage import compression
from dockless.storage import staging as staging_module
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import BLOCK
from dockless.storage.checks import check
from dockless.storage.folders import remove
from dockless.storage.growing import GivenUpError, GrowingBlob
from dockless.storage.layer_records import head_of
from dockless.storage.staging import Layer, MispredictedError, Staging
from dockless.storage.streams import BlobDraft
from fakes.progress import FakeTask

TAR = b"etc/motd" + bytes(BLOCK) + b"the end"
OTHER = b"etc/motd" + bytes(BLOCK) + b"another"
Make = Callable[..., Staging]


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


@pytest.fixture
def make(store: BlobStore, tmp_path: Path) -> Iterator[Make]:
    """Return a maker of staging areas, each as that of another push."""
    areas: list[Staging] = []

    def area(packing: Packing | Compression = "gzip") -> Staging:
        packing = asked(packing) if isinstance(packing, str) else packing
        areas.append(Staging(store, tmp_path / f"run-{len(areas)}", packing, 2))
        return areas[-1]

    yield area
    for each in areas:
        each.__exit__()


@pytest.fixture
def staging(make: Make) -> Staging:
    return make()


def stage(area: Staging, data: bytes, *, may_guess: bool = False, short: int = 0) -> Layer:
    size = len(data) + short
    task = FakeTask("staging", size)
    return area.layer(io.BytesIO(data), size, task, "image.tar: layer", may_guess=may_guess)


def read(area: Staging, digest: Digest) -> bytes:
    path = area.path(digest)
    assert path
    return path.read_bytes()


def failing(code: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def files(tmp_path: Path) -> list[Path]:
    return [path for run in tmp_path.glob("run-*/blobs") for path in run.iterdir()]


@pytest.mark.parametrize(
    ("compression", "unpack"),
    [
        ("gzip", gzip.decompress),
        ("zstd", lambda data: zstandard.ZstdDecompressor().stream_reader(data).read()),
        ("none", bytes),
    ],
)
def test_a_plain_layer_is_compressed_hashed_and_described(
    make: Make, compression: Compression, unpack: Callable[[bytes], bytes]
) -> None:
    area = make(compression)
    layer = stage(area, TAR)
    data = read(area, layer.descriptor.digest)
    assert unpack(data) == TAR
    assert layer.diff_id == Digest.of(TAR)
    assert layer.descriptor == Descriptor(
        media_type=layer_media_type(compression), digest=Digest.of(data), size=len(data)
    )


def test_what_is_staged_outlives_the_push(make: Make, store: BlobStore) -> None:
    with make() as area:
        layer = stage(area, TAR)
    assert store.blob(layer.descriptor.digest)
    assert store.layer(layer.diff_id, "gzip") == layer.descriptor


def test_every_new_layer_is_announced_with_its_file(staging: Staging) -> None:
    told: list[tuple[Descriptor, bytes]] = []
    staging.on_layer = lambda blob, path: told.append((blob, path.read_bytes()))
    layer, packed = stage(staging, TAR), stage(staging, gzip.compress(TAR))
    assert [blob for blob, _ in told] == [layer.descriptor, packed.descriptor]
    assert all(blob.digest.matches(data) for blob, data in told)


def test_a_known_layer_is_only_hashed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with make() as first:
        known = stage(first, TAR)
    monkeypatch.setattr(compression, "compressing", None)
    assert stage(make(), TAR, may_guess=True) == known


def test_a_layer_that_only_begins_like_a_known_one_is_not_taken_for_it(make: Make) -> None:
    with make() as first:
        stage(first, TAR)
    with pytest.raises(MispredictedError):
        stage(make(), OTHER, may_guess=True)
    assert stage(make(), OTHER).diff_id == Digest.of(OTHER)


def test_a_layer_whose_blob_was_pruned_is_compressed_again(make: Make, store: BlobStore) -> None:
    with make() as first:
        known = stage(first, TAR)
    for path in files(store.folder.parent):
        path.unlink()
    store.prune(1)
    second = make()
    assert stage(second, TAR, may_guess=True) == known
    assert read(second, known.descriptor.digest)


def test_a_pruned_layer_becomes_what_it_was_whatever_is_chosen_now(
    make: Make, store: BlobStore
) -> None:
    with make(Packing(compression="zstd", level=19)) as first:
        known = stage(first, TAR)
    for path in files(store.folder.parent):
        path.unlink()
    store.prune(1)
    chosen = Packing(compression="gzip", level=1, kept=("gzip", "zstd"))
    assert stage(make(chosen), TAR, may_guess=True) == known
    assert stage(
        make(Packing(compression="gzip", level=1)), TAR
    ).descriptor.media_type == layer_media_type("gzip")


def test_two_pushes_that_meet_at_a_layer_compress_it_once(make: Make) -> None:
    announced: list[Descriptor] = []
    layers: list[Layer] = []
    areas = [make(), make()]

    def work(area: Staging) -> None:
        area.on_layer = lambda blob, _: announced.append(blob)
        layers.append(stage(area, TAR, may_guess=True))

    threads = [threading.Thread(target=work, args=(area,)) for area in areas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(announced) == 1
    assert layers[0] == layers[1]


@pytest.mark.parametrize(
    ("packed", "kind"),
    [
        (gzip.compress(TAR), "gzip"),
        (gzip.compress(TAR[:99]) + gzip.compress(TAR[99:]), "gzip"),
        (gzip.compress(TAR) + bytes(512), "gzip"),
        (zstandard.compress(TAR), "zstd"),
        (zstandard.compress(TAR[:99]) + zstandard.compress(TAR[99:]), "zstd"),
    ],
    ids=["gzip", "gzip members", "gzip padded", "zstd", "zstd frames"],
)
def test_a_layer_that_is_compressed_already_stays_as_it_is(
    staging: Staging, packed: bytes, kind: str
) -> None:
    layer = stage(staging, packed)
    assert layer.diff_id == Digest.of(TAR)
    blob = Descriptor(media_type=layer_media_type(kind), digest=Digest.of(packed), size=len(packed))
    assert layer.descriptor == blob
    assert read(staging, layer.descriptor.digest) == packed


def test_a_layer_compressed_as_no_registry_takes_it_is_compressed_anew(staging: Staging) -> None:
    layer = stage(staging, bz2.compress(TAR))
    assert layer == stage(staging, TAR)


@pytest.mark.parametrize(
    ("data", "short"), [(TAR, 1), (b"", 1), (gzip.compress(TAR), 1), (gzip.compress(TAR)[:-9], 0)]
)
def test_a_layer_that_ends_too_early_is_an_error_and_leaves_nothing(
    staging: Staging, tmp_path: Path, data: bytes, short: int
) -> None:
    with pytest.raises(SourceError, match=r"image\.tar: layer is"):
        stage(staging, data, short=short)
    assert files(tmp_path) == []


@pytest.mark.parametrize("data", [TAR, gzip.compress(TAR), b"{}"])
def test_a_blob_is_copied_as_it_is(staging: Staging, data: bytes) -> None:
    blob = Descriptor(media_type="application/json", digest=Digest.of(data), size=len(data))
    staging.copy(io.BytesIO(data), blob, FakeTask("staging", None), "blob", None)
    assert read(staging, blob.digest) == data


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_that_is_not_its_digest_is_refused(
    staging: Staging, tmp_path: Path, algorithm: str
) -> None:
    wrong = Digest(algorithm, "0" * {"sha256": 64, "sha512": 128}[algorithm])
    blob = Descriptor(media_type="application/json", digest=wrong, size=2)
    with pytest.raises(SourceError, match="blob is damaged: its digest is"):
        staging.copy(io.BytesIO(b"{}"), blob, FakeTask("staging", None), "blob", None)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [("none", TAR), ("gzip", gzip.compress(TAR)), ("zstd", zstandard.compress(TAR))],
)
def test_a_blob_is_checked_against_its_diff_id(kind: str, data: bytes) -> None:
    blob = Descriptor(media_type=layer_media_type(kind), digest=Digest.of(data), size=len(data))
    check(io.BytesIO(data), blob, FakeTask("checking", None), "blob", Digest.of(TAR))
    with pytest.raises(SourceError, match="does not belong to its image"):
        check(io.BytesIO(data), blob, FakeTask("checking", None), "blob", Digest.of(OTHER))


def test_a_document_is_staged_once(staging: Staging) -> None:
    blob = staging.document(b"{}", OCI_CONFIG)
    assert blob == staging.document(b"{}", OCI_CONFIG)
    assert blob == Descriptor(media_type=OCI_CONFIG, digest=Digest.of(b"{}"), size=2)
    assert read(staging, blob.digest) == b"{}"


def test_a_document_goes_ahead_only_where_a_layer_did(make: Make) -> None:
    told: list[Descriptor] = []
    area = make()
    area.on_layer = lambda blob, _: told.append(blob)
    area.document(b"{}")
    assert not told
    layer = stage(area, TAR)
    config = area.document(b"{}")
    assert told == [layer.descriptor, config]


@pytest.mark.parametrize("data", [TAR, gzip.compress(TAR)], ids=["plain", "packed"])
def test_a_large_layer_is_read_while_it_grows(
    make: Make, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(staging_module, "_LARGE", 1)
    followed: list[GrowingBlob] = []
    area = make()
    area.on_growing = followed.append
    layer = stage(area, data)
    (growing,) = followed
    assert growing.blob == layer.descriptor
    assert layer.descriptor.digest.matches(b"".join(growing.chunks(100)))
    growing.close()


@pytest.mark.parametrize("wrong", [False, True])
def test_a_large_blob_is_read_while_it_is_copied_and_given_up_if_it_is_wrong(
    make: Make, monkeypatch: pytest.MonkeyPatch, *, wrong: bool
) -> None:
    monkeypatch.setattr(staging_module, "_LARGE", 1)
    followed: list[GrowingBlob] = []
    area = make()
    area.on_growing = followed.append
    data = gzip.compress(TAR)
    blob = Descriptor(media_type=layer_media_type("gzip"), digest=Digest.of(data), size=len(data))
    with pytest.raises(SourceError) if wrong else contextlib.nullcontext():
        diff_id = Digest.of(OTHER if wrong else TAR)
        area.copy(io.BytesIO(data), blob, FakeTask("staging", None), "blob", diff_id)
    (growing,) = followed
    with pytest.raises(GivenUpError) if wrong else contextlib.nullcontext():
        assert b"".join(growing.chunks(100)) == data
    assert growing.blob == (None if wrong else blob)
    growing.close()


def test_a_layer_that_does_not_get_whole_is_given_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging_module, "_LARGE", 1)
    followed: list[GrowingBlob] = []
    area = make()
    area.on_growing = followed.append
    with pytest.raises(SourceError, match="truncated"):
        stage(area, TAR, short=5)
    (growing,) = followed
    with pytest.raises(GivenUpError):
        list(growing.chunks(100))
    growing.close()


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_layer_can_be_had_as_it_was_before_it_was_compressed(
    make: Make, compression: Compression
) -> None:
    area = make(compression)
    layer = stage(area, TAR)
    assert area.original(layer, layer.diff_id) == layer.diff_id
    assert read(area, layer.diff_id) == TAR


def test_what_a_layer_never_was_is_not_made_of_it(staging: Staging) -> None:
    layer = stage(staging, TAR)
    assert staging.original(layer, Digest.of(OTHER)) == layer.descriptor.digest


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_error_that_says_what_to_do(
    staging: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(BlobDraft, "write", failing(code))
    with pytest.raises(PushError, match=r"no space left.*cache prune"):
        stage(staging, TAR)
    assert files(tmp_path) == []


def test_a_disk_that_fills_up_while_blobs_settle_costs_the_store_its_copy_only(
    make: Make, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.ENOSPC))
    with make() as area:
        layer = stage(area, TAR)
    assert area.path(layer.descriptor.digest)
    assert store.blob(layer.descriptor.digest) is None
    assert store.layer(layer.diff_id, "gzip") is None
    store.exclusive(head_of(len(TAR), TAR[:BLOCK])).close()


def test_a_disk_that_fails_otherwise_is_not_called_full(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BlobDraft, "write", failing(errno.EIO))
    with pytest.raises(PushError, match=r"^Nothing can be written to .*: Input/output error"):
        stage(staging, TAR)


def damage(path: Path, place: int) -> None:
    """Flip a bit of a file, or cut it off at a negative place."""
    data = bytearray(path.read_bytes())
    if place < 0:
        data = data[:place]
    else:
        data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("place", [-1, -20, -60])
def test_a_cut_blob_of_the_store_is_staged_again(
    make: Make, store: BlobStore, tmp_path: Path, place: int
) -> None:
    with make() as first:
        known = stage(first, TAR)
    blob = store.blob(known.descriptor.digest)
    assert blob
    damage(blob, place)
    for path in files(tmp_path):
        path.unlink()
    second = make()
    assert second.known(known.diff_id) == known.descriptor
    assert second.path(known.descriptor.digest, known.descriptor.size) is None
    assert stage(second, TAR, may_guess=True) == known
    assert known.descriptor.digest.matches(read(second, known.descriptor.digest))


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_damaged_document_is_replaced(make: Make, store: BlobStore, place: int) -> None:
    with make() as first:
        blob = first.document(b"{}", OCI_CONFIG)
    stored = store.blob(blob.digest)
    assert stored
    damage(stored, place)
    second = make()
    assert second.document(b"{}", OCI_CONFIG) == blob
    assert read(second, blob.digest) == b"{}"


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_document_is_compared_when_it_is_read(make: Make, store: BlobStore, place: int) -> None:
    with make() as first:
        blob = first.document(b"{}", OCI_CONFIG)
    assert make().read(blob.digest) == b"{}"
    stored = store.blob(blob.digest)
    assert stored
    damage(stored, place)
    assert make().read(blob.digest) is None
    assert store.blob(blob.digest) is None


@pytest.mark.parametrize("place", [0, 40, -9])
def test_of_a_damaged_copy_no_layer_is_made_as_it_was(
    make: Make, store: BlobStore, place: int
) -> None:
    with make("zstd") as first:
        layer = stage(first, TAR)
    stored = store.blob(layer.descriptor.digest)
    assert stored
    damage(stored, place)
    area = make("zstd")
    with pytest.raises(LostCopyError):
        area.original(layer, layer.diff_id)
    assert area.path(layer.descriptor.digest) is None


@pytest.mark.parametrize("other", [b"", b"x" * 900, b"y" * 5000])
def test_nor_of_a_sound_copy_of_something_else_of_the_same_length(
    make: Make, store: BlobStore, other: bytes
) -> None:
    with make("zstd") as first:
        layer = stage(first, TAR)
    stored = store.blob(layer.descriptor.digest)
    assert stored
    frame = zstandard.compress(other, 19)
    left = stored.stat().st_size - len(frame) - 8
    skipped = b"\x50\x2a\x4d\x18" + left.to_bytes(4, "little") + bytes(left)  # RFC 8878, 3.1.2
    remove(stored)
    stored.write_bytes(frame + skipped)
    area = make("zstd")
    with pytest.raises(LostCopyError):
        area.original(layer, layer.diff_id)
    assert area.path(layer.descriptor.digest) is None
    assert area.path(layer.diff_id) is None


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("again", [False, True])
def test_a_layer_as_it_was_is_made_once(
    make: Make,
    compression: Compression,
    again: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    area = make(compression)
    layer = stage(area, TAR)
    if again:
        assert area.original(layer, layer.diff_id) == layer.diff_id
    area.discard(layer.descriptor.digest)
    if again:  # what it was is still there
        assert area.original(layer, layer.diff_id) == layer.diff_id
        assert read(area, layer.diff_id) == TAR
    else:
        with pytest.raises(LostCopyError):
            area.original(layer, layer.diff_id)


def test_what_is_staged_after_everything_was_deleted_is_there(make: Make, tmp_path: Path) -> None:
    area = make()
    for folder in tmp_path.iterdir():
        shutil.rmtree(folder)
    layer = stage(area, TAR)
    config = area.document(b"{}")
    assert read(area, layer.descriptor.digest)
    assert read(area, config.digest) == b"{}"


class Deleting(io.BytesIO):
    """A stream during which everything is deleted."""

    def __init__(self, data: bytes, folder: Path) -> None:
        super().__init__(data)
        self._folder = folder

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data or self.tell() == len(self.getvalue()):
            for folder in self._folder.iterdir():
                shutil.rmtree(folder)
        return data


@pytest.mark.parametrize("data", [TAR, gzip.compress(TAR), zstandard.compress(TAR)])
def test_what_was_deleted_while_it_was_staged_is_lost_and_can_be_staged_again(
    staging: Staging, tmp_path: Path, data: bytes
) -> None:
    task = FakeTask("staging", len(data))
    with pytest.raises(LostCopyError, match="deleted"):
        staging.layer(Deleting(data, tmp_path), len(data), task, "image.tar: layer")
    assert read(staging, stage(staging, data).descriptor.digest)


def _blobs(store: BlobStore) -> None:
    shutil.rmtree(store.folder / "blobs")


def _each(store: BlobStore) -> None:
    for path in store.folder.glob("blobs/*/*"):
        path.unlink()


@pytest.mark.parametrize("delete", [lambda store: store.prune(0), _blobs, _each])
@pytest.mark.parametrize("size", [None, 6])
def test_what_a_push_uses_stays_although_the_store_loses_it(
    tmp_path: Path, delete: Callable[[BlobStore], object], size: int | None
) -> None:
    store = BlobStore(tmp_path / "store")
    (tmp_path / "draft").write_bytes(b"packed")
    digest = Digest.of(b"packed")
    store.adopt(tmp_path / "draft", digest)
    (tmp_path / "draft").unlink()
    with store.run() as folder, Staging(store, folder, asked("gzip"), 1) as staging:
        path = staging.path(digest, size)
        assert path
        assert path.is_relative_to(folder)
        delete(store)
        assert path.read_bytes() == b"packed"
        assert staging.path(digest, size) == path


@pytest.mark.parametrize("deleted", ["nothing", "the run", "the store"])
def test_a_new_folder_is_private_and_made_whatever_was_deleted(
    staging: Staging, tmp_path: Path, deleted: str
) -> None:
    if deleted != "nothing":
        shutil.rmtree(tmp_path / ("run-0" if deleted == "the run" else "store"), ignore_errors=True)
    made = [staging.new_folder("push-") for _ in range(2)]
    assert made[0] != made[1]
    for folder in made:
        assert folder.parent == tmp_path / "run-0"
        assert folder.name.startswith("push-")
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("read", [True, False])
def test_staged_copies_are_proved_in_the_store_that_has_them(
    store: BlobStore, *, read: bool
) -> None:
    with Staging(store, store.folder / "run", asked("gzip"), 1) as area:
        blob = area.document(b"{}")
        path = area.require(blob.digest)
        area.prove([(blob, path)], read=read)
        path.chmod(0o600)
        path.write_bytes(b"[]" if read else b"[ ]")
        with pytest.raises(LostCopyError):
            area.prove([(blob, path)], read=read)
        with pytest.raises(LostCopyError, match="was deleted or changed"):
            area.require(blob.digest)


def test_what_was_staged_is_laid_out_for_a_program(staging: Staging, tmp_path: Path) -> None:
    data = b'{"rootfs": {"type": "layers", "diff_ids": []}}'
    config = staging.document(data, OCI_CONFIG)
    manifest = image_manifest(config, ())
    root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(manifest), size=len(manifest))
    content = single(root, manifest, data)
    made = staging.lay_out(
        tmp_path / "push", content, {config.digest: staging.require(config.digest)}
    )
    assert made.parent == tmp_path / "push"
    assert (made / f"blobs/sha256/{root.digest.hex}").read_bytes() == manifest
    assert (made / f"blobs/sha256/{config.digest.hex}").read_bytes() == data
