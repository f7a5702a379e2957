"""Images of another host, which come as a stream; this machine is in the place of the host."""

import io
import os
from pathlib import Path

import pytest

from bed.images import archive
from dockless.errors import SourceError
from dockless.oci.reference import Reference
from dockless.processes.programs import ProgramsHere
from dockless.sources.on_host import HostImage
from dockless.sources.opener import Opener
from dockless.sources.spec_there import SourceThere
from dockless.storage.blocks import ReadableStream
from dockless.storage.oci_layout import write_layout
from dockless.storage.staging import Staging
from fakes.image import FakeImage
from fakes.progress import FakeProgress

HOST = ProgramsHere(os.environ)


@pytest.fixture
def opener(staging: Staging, progress: FakeProgress) -> Opener:
    def stdin() -> ReadableStream:
        return io.BytesIO()

    def no_pull(reference: Reference) -> Path:
        raise AssertionError(reference)

    return Opener(staging, progress, stdin, tuple, no_pull)


@pytest.mark.parametrize("kind", ["layout", "archive"])
def test_the_image_of_a_layout_or_archive_there(tmp_path: Path, opener: Opener, kind: str) -> None:
    image = FakeImage(tmp_path / "blobs", layers=(bytes(1024),))
    content = image.content()
    blobs = image.paths([blob.digest for blob in content.blobs])
    path = write_layout(tmp_path / "layout", content, blobs)
    if kind == "archive":
        path = archive(path, tmp_path / "image.tar")
    source = SourceThere(kind="archive" if kind == "archive" else "layout", path=str(path))
    found = opener.there(HostImage(source=source), HOST, None)
    assert found.content().image_id == content.image_id


@pytest.mark.parametrize(
    ("found", "fact"),
    [
        (HostImage(), "has no image"),
        (
            HostImage(source=SourceThere(kind="archive", path="/no/such.tar")),
            "is empty",
        ),
    ],
)
def test_what_is_not_there_is_an_error(opener: Opener, found: HostImage, fact: str) -> None:
    with pytest.raises(SourceError, match=fact):
        opener.there(found, HOST, None)
