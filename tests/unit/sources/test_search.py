import json
import os
import stat
from pathlib import Path

import pytest

from bed.hostile import LAYER, file, image, tar
from bed.images import Layout, named
from dockless.sources import search as module
from dockless.sources.search import file_systems, search
from dockless.sources.source_paths import is_layout

IMAGE = tar(*image(file("layer.tar", LAYER)))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top" / "deep").mkdir(parents=True)
    (tmp_path / "top" / "good.tar").write_bytes(IMAGE)
    return tmp_path / "top"


def names(paths: object) -> list[str]:
    return [path.name for path in paths]  # type: ignore[attr-defined] # of paths


def test_every_image_is_found_whatever_it_is_called(top: Path) -> None:
    for name in ("e.img", "F.TAR", "deep/none", "deep/.hidden.oci"):
        (top / name).write_bytes(IMAGE)
    layout = Layout(top / "deep" / "layout")
    layout.top(layout.image((), **named("x:1")))
    found = search(top)
    assert sorted(names(found.sources)) == sorted(
        ["good.tar", "e.img", "F.TAR", "none", ".hidden.oci", "layout"]
    )
    assert (found.errors, found.others) == ({}, {})


def test_what_is_beside_a_layout_in_its_folder_is_found_too(top: Path) -> None:
    layout = Layout(top / "mixed")
    layout.top(layout.image((), **named("x:1")))
    (layout.folder / "beside.tar").write_bytes(IMAGE)
    (layout.folder / "blobs" / "sha256" / "stray.tar").write_bytes(IMAGE)
    found = search(layout.folder)
    assert found.sources == [layout.folder, layout.folder / "beside.tar"]
    assert found.others == {}


@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
def test_a_file_of_a_layouts_name_makes_no_layout(top: Path, name: str) -> None:
    (top / name).write_text('{"pages": []}')
    assert not is_layout(top)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert names(found.others) == [name]


def test_what_is_no_image_is_told_and_keeps_nothing_else(top: Path) -> None:
    (top / "good.tar.sha256").write_text("0  good.tar\n")
    (top / "c-0.1.0.tgz").write_bytes(tar(file("c/Chart.yaml", b"name: c\n")))
    (top / "._good.tar").write_bytes(b"\0\5\x16\7Mac OS X" + bytes(2000))
    os.mkfifo(top / "pipe.tar")
    (top / "link").symlink_to("/nowhere")
    os.mknod(top / "socket", stat.S_IFSOCK | 0o600)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert found.errors == {}
    assert set(names(found.others)) == {
        "good.tar.sha256", "c-0.1.0.tgz", "._good.tar", "pipe.tar", "link", "socket"
    }  # fmt: skip


@pytest.mark.parametrize("length", [0, 100, 600, len(IMAGE) // 3])
def test_a_cut_archive_is_an_error_of_its_own(top: Path, length: int) -> None:
    (top / "cut.tar").write_bytes(tar(file("some", bytes(3000)))[:length])
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert names(found.errors) == ["cut.tar"]


def test_a_link_to_an_archive_is_followed_and_one_that_leads_nowhere_is_an_error(
    top: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.tar").write_bytes(IMAGE)
    (top / "linked.tar").symlink_to(tmp_path / "outside.tar")
    (top / "gone.tar").symlink_to(tmp_path / "gone.tar")
    (top / "loop.tar").symlink_to("loop.tar")
    found = search(top)
    assert names(found.sources) == ["good.tar", "linked.tar"]
    assert names(found.errors) == ["gone.tar", "loop.tar"]


def test_links_to_folders_are_followed_to_layouts_only(top: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image((), **named("x:1")))
    (top / "a").symlink_to(layout.folder)
    (top / "b").symlink_to(tmp_path)
    found = search(top)
    assert found.sources == [top / "a", top / "good.tar"]
    assert names(found.others) == ["b"]


def test_parts_are_read_by_their_list(top: Path) -> None:
    for number in range(3):
        (top / f"disk.tar.00{number}").write_bytes(IMAGE[number * 1000 :][:1000])
    listing = top / "disk.tar.parts.json"
    listing.write_text(json.dumps({"parts": []}))
    found = search(top)
    assert names(found.sources) == ["disk.tar.parts.json", "good.tar"]
    assert (found.errors, found.others) == ({}, {})
    listing.unlink()
    found = search(top)
    assert found.sources == [top / "good.tar"]
    ((path, error),) = found.errors.items()
    assert path.name == "disk.tar"
    assert "the list of its parts, is missing" in error.what


def test_an_archive_that_was_unpacked_is_an_error(top: Path) -> None:
    unpacked = top / "unpacked"
    unpacked.mkdir()
    (unpacked / "manifest.json").write_text('[{"Config": "a.json", "Layers": ["b/layer.tar"]}]')
    (unpacked / "b").mkdir()
    (unpacked / "b" / "layer.tar").write_bytes(LAYER)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert "is an unpacked archive" in found.errors[unpacked].what
    assert found.others == {}


def test_an_image_beside_an_archive_that_was_unpacked_is_found(top: Path) -> None:
    (top / "manifest.json").write_text('[{"Config": "a.json", "Layers": ["c.tar", 7]}, 8]')
    (top / "a.json").write_text("{}")
    (top / "c.tar").write_bytes(LAYER)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert list(found.errors) == [top]
    assert found.others == {}


@pytest.mark.parametrize(
    "text",
    [
        '[{"Config":"x"}]',
        '[{"Config": "../good.tar", "Layers": ["/etc/passwd", ".."]}]',
        '[{"Config": 7, "Layers": "good.tar"}]',
        '[{"Config": "", "Layers": ["blobs/sha256/a"]}]',
        "[{",
    ],
)
def test_a_stray_list_of_images_hides_nothing(top: Path, text: str) -> None:
    (top / "manifest.json").write_text(text)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert found.errors == {}
    assert list(found.others) == [top / "manifest.json"]


@pytest.mark.parametrize(
    "name", ["lost+found", ".Trash-1000", "$RECYCLE.BIN", "System Volume Information"]
)
def test_deleted_images_stay_where_they_are(top: Path, name: str) -> None:
    (top / name).mkdir()
    (top / name / "old.tar").write_bytes(IMAGE)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert names(found.others) == [name]


def test_a_folder_that_the_system_cannot_read_is_an_error(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "deep":
            raise OSError(5, "Input/output error")
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert "deep cannot be read: Input/output error" in found.errors[top / "deep"].what


def test_mounted_file_systems_are_known() -> None:
    mountinfo = (
        "22 28 0:21 / /sys rw,nosuid - sysfs sysfs rw\n"
        "23 28 0:22 / /proc rw shared:12 - proc proc rw\n"
        "28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "31 28 0:30 / /mnt/with\\040space rw - debugfs none rw\n"
        "40 28 8:2 / /media/usb rw - vfat /dev/sdb1 rw\n"
    )
    assert file_systems(mountinfo) == {
        Path("/sys"): "sysfs",
        Path("/proc"): "proc",
        Path("/"): "ext4",
        Path("/mnt/with space"): "debugfs",
        Path("/media/usb"): "vfat",
    }


def test_what_the_kernel_shows_is_not_looked_at(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / "deep" / "image.tar").write_bytes(IMAGE)
    monkeypatch.setattr(module, "_mounts", lambda: f"1 2 0:1 / {top / 'deep'} rw - proc proc rw\n")
    found = search(top)
    assert found.sources == [top / "good.tar"]
    assert names(found.others) == ["deep"]
    found = search(top / "deep" / ".." / "deep")
    assert (found.sources, names(found.others)) == ([], ["deep"])


def test_a_disk_that_is_mounted_below_what_the_kernel_shows_is_looked_at(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = f"1 2 0:1 / {top.parent} rw - devtmpfs none rw\n3 2 0:1 / {top} rw - tmpfs none rw\n"
    monkeypatch.setattr(module, "_mounts", lambda: mounts)
    assert search(top).sources == [top / "good.tar"]


def test_names_of_any_bytes_are_found(top: Path) -> None:
    name = os.fsdecode(b"f\xfcr.tar")
    (top / name).write_bytes(IMAGE)
    assert names(search(top).sources) == [name, "good.tar"]
