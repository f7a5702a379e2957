from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.oci.content import StagedImage
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter
from dockless.storage.oci_layout import write_layout
from dockless.usecases.push.late_writer import LateWriter
from fakes.image import FakeImage
from fakes.progress import FakeTask
from fakes.registry import FakeRegistry
from fakes.writer import FakeWriter

SHOP = Repository.of("registry.example.com", "team/shop")


class Choice:
    """Chooses a writer, and counts how often; without one, it raises."""

    def __init__(self, *, absent: int = 0) -> None:
        self.registry = FakeRegistry()
        self.chosen = 0
        self._absent = absent

    def __call__(self) -> ImageWriter:
        self.chosen += 1
        if self._absent >= self.chosen:
            raise EngineError("It is not there.")
        return FakeWriter(self.registry)


def staged(folder: Path) -> StagedImage:
    image = FakeImage(folder / "blobs")
    content = image.content()
    blobs = image.paths([blob.digest for blob in content.blobs])
    return StagedImage(
        content=content,
        blobs=blobs,
        layout=lambda: write_layout(folder / "layout", content, blobs),
    )


def test_a_writer_is_chosen_once_and_only_when_it_is_used(tmp_path: Path) -> None:
    choice, image = Choice(), staged(tmp_path)
    writer = LateWriter(choice)
    assert choice.chosen == 0
    assert writer.write(image, SHOP, FakeTask("uploading", None)).writer == "fake"
    writer.tag(image.content, SHOP, "v1")
    assert writer.tagger == "fake"
    assert choice.chosen == 1
    assert choice.registry.repositories[SHOP].tags == {"v1": image.content.root.digest}


def test_why_there_is_none_is_raised_where_it_is_needed(tmp_path: Path) -> None:
    choice, image = Choice(absent=2), staged(tmp_path)
    writer = LateWriter(choice)
    with pytest.raises(EngineError):
        writer.write(image, SHOP, FakeTask("uploading", None))
    with pytest.raises(EngineError):
        writer.tag(image.content, SHOP, "v1")
    assert writer.tagger == "fake"
