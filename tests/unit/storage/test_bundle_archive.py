"""The members of a bundle's archive: each folder has an entry, before what is in it."""

import hashlib
import io
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from dockless.storage.bundle import Bundle
from dockless.storage.bundle_archive import PARTS, pack, stream

BLOBS = {
    "none": (),
    "one": (("sha256", b"config"),),
    "several": (("sha256", b"config"), ("sha256", b"layer" * 999), ("sha256", b"")),
    "of two algorithms": (("sha512", b"layer"), ("sha256", b"config")),
}


def layout(folder: Path, blobs: tuple[tuple[str, bytes], ...], mode: int = 0o755) -> Path:
    """Make the layout of a bundle in folders of this mode."""
    folder.mkdir()
    made = Bundle(folder)
    for algorithm, data in blobs:
        blob = folder / "blobs" / algorithm / hashlib.new(algorithm, data).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
    made.finish()
    for path in folder.glob("blobs/*"):
        path.chmod(mode)
    return folder


def members(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


def streamed(folder: Path) -> bytes:
    sink = io.BytesIO()
    stream(folder, sink)
    return sink.getvalue()


@pytest.mark.parametrize("blobs", BLOBS.values(), ids=BLOBS)
def test_each_folder_has_an_entry_before_what_is_in_it(
    tmp_path: Path, blobs: tuple[tuple[str, bytes], ...]
) -> None:
    seen: set[str] = set()
    for member in members(streamed(layout(tmp_path / "made", blobs))):
        folder = PurePosixPath(member.name).parent.as_posix()
        assert folder in seen | {"."}, member.name
        assert (member.uid, member.gid, member.mtime, member.uname) == (0, 0, 0, "")
        if member.isdir():
            seen.add(member.name)
            assert member.mode == 0o755
        else:
            assert member.mode == 0o644
    wanted = {f"blobs/{algorithm}" for algorithm, _ in blobs}
    assert seen == (wanted | {"blobs"} if wanted else set())


@pytest.mark.parametrize("blobs", BLOBS.values(), ids=BLOBS)
def test_an_archive_does_not_depend_on_the_folders_it_is_made_from(
    tmp_path: Path, blobs: tuple[tuple[str, bytes], ...]
) -> None:
    first, second = (layout(tmp_path / f"{mode:o}", blobs, mode) for mode in (0o700, 0o775))
    assert streamed(first) == streamed(second)


@pytest.mark.parametrize("part", [None, 700, 4096])
def test_the_parts_are_the_streamed_archive(tmp_path: Path, part: int | None) -> None:
    folder = layout(tmp_path / "made", BLOBS["several"])
    made = pack(folder, tmp_path / "out.tar", part)
    data = b"".join(path.read_bytes() for path in made if not path.name.endswith(PARTS))
    assert data == streamed(folder)
    assert "blobs/sha256" in [member.name for member in members(data) if member.isdir()]
