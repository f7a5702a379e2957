"""Fixtures of the set-ups."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssh_matrix.world import World, world


@pytest.fixture(scope="session")
def everywhere() -> Iterator[World]:
    """The namespaces of all set-ups."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder:
        Path(folder).chmod(0o755)
        with world(Path(folder)) as made:
            yield made
