from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from dockless.cli import bundle
from dockless.errors import DocklessError
from dockless.oci.digest import Digest
from dockless.storage.bundle import Bundle
from dockless.usecases.mirror.run import SourceImage
from fakes.image import FakeImage

if TYPE_CHECKING:
    from dockless.client.session import Session


class PrunedImage(FakeImage):
    """An image whose staged copies are gone, or damaged, each of the first so many times."""

    def __init__(self, folder: Path, times: int, damage: Callable[[Path], object]) -> None:
        super().__init__(folder)
        self.times = times
        self._damage = damage

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return the files, which somebody deletes or changes at this moment."""
        found = dict(super().paths(digests))
        if self.times > 0:
            self.times -= 1
            for digest, path in found.items():
                copy = path.with_name(f"staged-{path.name}")
                copy.write_bytes(path.read_bytes())
                self._damage(copy)
                found[digest] = copy
        return found


class Prover:
    """A session that only notes what it is asked to prove."""

    def prove(self, copies: object, *, read: bool) -> None:
        """Take it."""
        assert copies
        assert read


def added(folder: Path, image: FakeImage) -> DocklessError | None:
    found = SourceImage("app.tar", ("acme/app:v1",), "app", 10, lambda: image)
    written = Bundle(folder / "out")
    return bundle._added(written, found, cast("Session", Prover()))


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"x")]
)
def test_what_is_pruned_or_damaged_between_staging_and_copying_is_staged_again_once(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    image = PrunedImage(tmp_path / "image", 1, damage)
    assert added(tmp_path, image) is None
    for blob in image.content().blobs:
        path = tmp_path / "out" / "blobs" / blob.digest.algorithm / blob.digest.hex
        assert blob.digest.matches(path.read_bytes())
