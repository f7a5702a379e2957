import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.lock import FILE as LOCK
from dockless.oci.digest import Digest
from dockless.oci.reference import Name
from dockless.sources.older_bundle import older_blobs
from dockless.sources.opener import Opener
from dockless.storage.blocks import ReadableStream
from dockless.storage.bundle import Bundle
from dockless.storage.bundle_archive import pack
from dockless.storage.staging import Staging
from fakes.image import FakeImage
from fakes.progress import FakeProgress


@pytest.fixture
def opener(staging: Staging, progress: FakeProgress) -> Iterator[Opener]:
    def stdin() -> ReadableStream:
        return io.BytesIO()

    def no_pull(_: object) -> Path:
        raise AssertionError

    return Opener(staging, progress, stdin, tuple, no_pull)  # type: ignore[return-value]


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, frozenset[Digest]]:
    image = FakeImage(tmp_path / "image")
    written, content = Bundle(tmp_path / "disk"), image.content()
    written.hold(content, image.paths(written.needs(content)))
    written.add([Name.parse("docker.io/library/shop:1")], "shop.tar", content)
    written.finish()
    return tmp_path / "disk", frozenset(blob.digest for blob in content.blobs)


@pytest.mark.parametrize("form", ["folder", "lock", "tar", "parts"])
def test_the_blobs_of_a_bundle_are_known_in_each_of_its_forms(
    opener: Opener, bundle: tuple[Path, frozenset[Digest]], form: str
) -> None:
    folder, blobs = bundle
    path = folder
    if form == "lock":
        path = folder / LOCK
    elif form == "tar":
        (path,) = pack(folder, folder.with_name("disk.tar"), None)
    elif form == "parts":
        *_, path = pack(folder, folder.with_name("disk.tar"), 4096)
    assert older_blobs(opener, path, folder.parent) == blobs


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"lockVersion": 9}', b"text", b"{" * 9999])
def test_what_is_no_bundle_is_a_usage_error(opener: Opener, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "old.tar"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=f"The older bundle {path} cannot be used"):
        older_blobs(opener, path, tmp_path)


def test_a_layout_without_a_lock_file_and_nothing_at_all_are_usage_errors(
    opener: Opener, bundle: tuple[Path, frozenset[Digest]]
) -> None:
    folder, _ = bundle
    (folder / LOCK).unlink()
    for path in (folder, folder.with_name("gone"), folder.with_name("gone.tar")):
        with pytest.raises(UsageError, match="cannot be used"):
            older_blobs(opener, path, folder.parent)
