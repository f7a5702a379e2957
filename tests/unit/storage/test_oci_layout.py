import errno
import json
import os
from pathlib import Path

import pytest

from dockless.errors import PushError
from dockless.oci.digest import Digest
from dockless.storage.oci_layout import STAGED, blob_path, write_layout
from fakes.image import FakeImage


@pytest.fixture
def image(tmp_path: Path) -> FakeImage:
    return FakeImage(tmp_path / "blobs")


def test_the_layout_names_the_root_alone(tmp_path: Path, image: FakeImage) -> None:
    content = image.content()
    folder = write_layout(tmp_path / "layout", content, {})
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (root,) = json.loads((folder / "index.json").read_text())["manifests"]
    assert root == {
        "mediaType": content.root.media_type,
        "digest": str(content.root.digest),
        "size": content.root.size,
        "annotations": {"org.opencontainers.image.ref.name": STAGED},
    }
    assert (
        blob_path(folder, content.root.digest).read_bytes()
        == content.documents[content.root.digest]
    )


def test_blobs_are_second_names_of_the_files_given_and_only_those(
    tmp_path: Path, image: FakeImage
) -> None:
    config, base, _ = image.content().blobs
    paths = image.paths([config.digest, base.digest])
    folder = write_layout(tmp_path / "layout", image.content(), paths)
    names = {path.name for path in folder.glob("blobs/sha256/*")}
    assert names == {image.content().root.digest.hex, config.digest.hex, base.digest.hex}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    for digest, path in paths.items():
        assert blob_path(folder, digest).samefile(path)


def test_links_hold_when_the_files_were_given_relative(
    tmp_path: Path, image: FakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base").write_bytes(b"base")
    digest = Digest.of(b"base")
    folder = write_layout(tmp_path / "deep/layout", image.content(), {digest: Path("base")})
    assert blob_path(folder, digest).read_bytes() == b"base"


def test_each_algorithm_has_a_folder_of_its_own(tmp_path: Path, image: FakeImage) -> None:
    (tmp_path / "long").write_bytes(b"long")
    digest = Digest("sha512", "a" * 128)
    folder = write_layout(tmp_path / "layout", image.content(), {digest: tmp_path / "long"})
    assert (folder / "blobs/sha512" / digest.hex).exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_error_with_a_way_out(
    tmp_path: Path, image: FakeImage, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PushError, match="no space left") as caught:
        write_layout(tmp_path / "layout", image.content(), {})
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy
