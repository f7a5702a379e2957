"""A staging area, progress that is written down, and archives made in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.oci.packing import asked
from dockless.storage.blob_store import BlobStore
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


@pytest.fixture
def staging(store: BlobStore, tmp_path: Path) -> Iterator[Staging]:
    with Staging(store, tmp_path / "run", asked("gzip"), 1) as area:
        yield area


@pytest.fixture
def progress() -> FakeProgress:
    return FakeProgress()
