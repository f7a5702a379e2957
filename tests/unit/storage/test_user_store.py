import os
import shutil
from pathlib import Path

import pytest

from dockless.errors import LostCopyError, UsageError
from dockless.oci.packing import asked
from dockless.storage.blob_store import DEFAULT_LIMIT
from dockless.storage.machine import Machine
from dockless.storage.staging import Staging
from dockless.storage.user_store import cache_limit, running_store, store


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", DEFAULT_LIMIT),
        ("0", 0),
        ("500", 500),
        ("500M", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("20g", 20_000_000_000),
        ("1t", 10**12),
    ],
)
def test_the_limit_is_a_size(text: str, size: int) -> None:
    assert cache_limit({"DOCKLESS_CACHE_SIZE": text}) == size


@pytest.mark.parametrize("text", ["much", "-1", "5 X", "G"])
def test_what_is_no_size_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="DOCKLESS_CACHE_SIZE"):
        cache_limit({"DOCKLESS_CACHE_SIZE": text})


def test_the_store_can_be_moved(tmp_path: Path, empty_home: Path) -> None:
    assert store({"DOCKLESS_CACHE_DIR": str(tmp_path)}).folder == tmp_path / str(os.geteuid())
    assert store({}).folder.is_relative_to(empty_home)


def machine(tmp_path: Path, **environment: str) -> Machine:
    return Machine(environment=environment, home=tmp_path, data=tmp_path, cache=tmp_path / "cache")


def test_what_a_run_has_made_goes_with_it_and_the_store_is_pruned(tmp_path: Path) -> None:
    here = machine(tmp_path, DOCKLESS_CACHE_SIZE="0")
    with running_store(here, recheck=False, until=None) as (held, folder):
        with Staging(held, folder, asked("gzip"), 1) as staging:
            blob = staging.document(b"{}")
        assert held.blob(blob.digest)
    assert held.blob(blob.digest) is None
    assert not folder.exists()


def test_a_run_whose_folder_is_deleted_is_told_so(tmp_path: Path) -> None:
    with (
        pytest.raises(LostCopyError),
        running_store(machine(tmp_path), recheck=False, until=None) as (held, _),
    ):
        _lost(held.folder)


def test_a_limit_that_is_none_is_told_before_anything_runs(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="DOCKLESS_CACHE_SIZE"),
        running_store(machine(tmp_path, DOCKLESS_CACHE_SIZE="much"), recheck=False, until=None),
    ):
        pytest.fail("it runs")


def _lost(folder: Path) -> None:
    """Delete a folder, and meet that."""
    shutil.rmtree(folder)
    (folder / "file").write_bytes(b"")
