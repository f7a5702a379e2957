"""A blob of a registry that does not end is not read to its end."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from dockless.errors import PushError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.compare import compare_blob

if TYPE_CHECKING:
    from dockless.registry.client import RegistryClient

REPOSITORY = Repository.of("registry.example.com", "team/shop")
DATA = b"a blob"


class Endless:
    """Gives pieces of a length, many more than a blob has."""

    def __init__(self, piece: int) -> None:
        self.given = 0
        self._piece = piece

    def fetch(self, _: Repository, __: str, sink: Callable[[bytes], None]) -> SimpleNamespace:
        for _number in range(100_000):
            self.given += 1
            sink((DATA * self._piece)[: self._piece])
        return SimpleNamespace(status=200)


@pytest.mark.parametrize("piece", [1, 5, 6, 7, 1000])
def test_it_is_damaged_where_it_is_too_long(piece: int) -> None:
    registry = Endless(piece)
    blob = Descriptor(media_type="", digest=Digest.of(DATA), size=len(DATA))
    with pytest.raises(PushError, match="more than 6 bytes"):
        compare_blob(cast("RegistryClient", registry), REPOSITORY, blob)
    assert registry.given <= len(DATA) + 1
