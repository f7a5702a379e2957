import os
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.storage.blob_store import DEFAULT_LIMIT
from dockless.storage.user_store import cache_limit, store


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
