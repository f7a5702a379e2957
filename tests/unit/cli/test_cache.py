import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dockless.errors import UsageError
from dockless.oci.digest import Digest
from dockless.storage.blob_store import BlobStore

Run = Callable[..., Result]


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    """A store with two blobs of 600 bytes."""
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "store"))
    store = BlobStore(tmp_path / "store" / str(os.geteuid()))
    for letter in (b"a", b"b"):
        (tmp_path / "blob").write_bytes(letter * 600)
        store.adopt(tmp_path / "blob", Digest.of(letter * 600))
        (tmp_path / "blob").unlink()
    return store


def test_info_shows_folder_content_and_limit(
    run: Run, held: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKLESS_CACHE_SIZE", "5G")
    assert run("cache", "info").stdout.splitlines() == [
        f"Folder  {held.folder}",
        "Blobs   2 (1.2 kB)",
        "Layers  0 known",
        "Limit   5 GB",
    ]


def test_info_of_a_store_that_was_never_used(run: Run) -> None:
    assert "Blobs   0 (0 B)" in run("cache", "info").stdout


def test_prune_keeps_what_is_below_the_limit(
    run: Run, held: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKLESS_CACHE_SIZE", "1k")
    assert run("cache", "prune").stdout == "Freed 600 B\n"
    assert held.usage().blobs == 1
    assert run("cache", "prune").stdout == "Freed 0 B\n"


def test_prune_all_keeps_nothing(run: Run, held: BlobStore) -> None:
    assert run("cache", "prune", "--all").stdout == "Freed 1.2 kB\n"
    assert held.usage().blobs == 0


def test_a_limit_that_is_none_is_a_usage_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKLESS_CACHE_SIZE", "much")
    assert isinstance(run("cache", "info").exception, UsageError)
