"""What a run uses of the store is its own: the store may be pruned beside it."""

import shutil
from pathlib import Path

import pytest

from dockless.oci.packing import asked
from dockless.storage.blob_store import BlobStore
from dockless.storage.staging import Staging


@pytest.mark.parametrize("size", [0, 1, 70_000])
@pytest.mark.parametrize("how", ["the blob", "all blobs", "the store"])
def test_what_was_found_in_the_store_stays_when_that_is_pruned(
    tmp_path: Path, size: int, how: str
) -> None:
    data = b"x" * size
    with Staging(BlobStore(tmp_path / "store"), tmp_path / "one", asked("gzip"), 2) as first:
        blob = first.document(data)
    (stored,) = (tmp_path / "store").rglob(blob.digest.hex)
    store = BlobStore(tmp_path / "store")
    with Staging(store, tmp_path / "two", asked("gzip"), 2) as second:
        path = second.path(blob.digest, blob.size)
        assert path is not None
        if how == "the blob":
            stored.unlink()
        else:
            shutil.rmtree(stored.parent if how == "all blobs" else tmp_path / "store")
        assert path.read_bytes() == data
