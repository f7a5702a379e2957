import bz2
import gzip
import json
import lzma
import random
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import zstandard

from bed.hostile import LAYER, Member, file, image, link, tar
from bed.images import Layout, archive, named
from dockless.errors import SourceError
from dockless.sources import judging
from dockless.sources.judging import promises_archive, why_no_image

IMAGE = tar(*image(file("layer.tar", LAYER)))
CHART = tar(file("chart/Chart.yaml", b"name: chart\n"), file("chart/values.yaml", b"a: 1\n"))
ROOTFS = tar(file("etc/motd", b"hello\n"), link("etc/mtab", "/proc/mounts"))
PACK: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": partial(lzma.compress, preset=0),
    "zstd": zstandard.compress,
}


def made(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("name", ["F.TAR", "e.img", "d.txz", "without-ending", "notes.sha256"])
def test_an_image_is_one_by_what_is_in_it(tmp_path: Path, name: str, packed: str) -> None:
    assert why_no_image(made(tmp_path, name, PACK[packed](IMAGE))) == ""


@pytest.mark.parametrize("dotted", [True, False])
def test_an_oci_archive_is_an_image(tmp_path: Path, dotted: bool) -> None:  # noqa: FBT001 - a case
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image((), **named("x:1")))
    path = archive(layout.folder, tmp_path / "oci-archive", dotted=dotted)
    assert why_no_image(path) == ""


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("data", [CHART, ROOTFS], ids=["chart", "rootfs"])
def test_another_archive_is_none(tmp_path: Path, data: bytes, packed: str) -> None:
    why = why_no_image(made(tmp_path, "other.tar.gz", PACK[packed](data)))
    assert why == "it has no manifest.json or index.json of an image"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.json", '{"name": "a web page", "icons": []}'),
        ("manifest.json", '[{"name": "a list"}]'),
        ("index.json", '{"pages": ["one"]}'),
        ("index.json", "[]"),
    ],
)
def test_files_of_the_same_names_make_no_image(tmp_path: Path, name: str, text: str) -> None:
    data = tar(file("./index.html", b"<html>"), file(f"./{name}", text.encode()))
    assert "no manifest.json" in why_no_image(made(tmp_path, "site.tgz", gzip.compress(data)))


@pytest.mark.parametrize("text", ["[{", '{"manifests": []}', '[{"Config": "a.json"}]'])
def test_a_list_of_images_makes_one_though_it_may_be_damaged(tmp_path: Path, text: str) -> None:
    data = tar(file("first", b""), file("manifest.json", text.encode()))
    assert why_no_image(made(tmp_path, "site.tar", data)) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"0123abcd  good.tar\n",
        b"-----BEGIN PGP SIGNATURE-----\n",
        b"",
        gzip.compress(b".TH MANUAL 1\n" * 300),
        zstandard.compress(bytes(range(256)) * 20),
        random.Random(1).randbytes(5000),  # noqa: S311 - the same each time
        gzip.compress(b"x" * 5000)[:40],
        b"BZh9 is how this text begins",
    ],
)
@pytest.mark.parametrize("name", ["good.tar.sha256", "good.tar.asc", "manual.1.gz", "._good.tar"])
def test_what_is_no_tar_is_none(tmp_path: Path, name: str, data: bytes) -> None:
    assert why_no_image(made(tmp_path, name, data))


@pytest.mark.parametrize("magic", [b"\0\5\x16\7", b"\0\5\x16\0"])
@pytest.mark.parametrize("name", ["._x.tar", "x.tar"])
def test_what_macos_keeps_of_a_file_is_none(tmp_path: Path, name: str, magic: bytes) -> None:
    path = made(tmp_path, name, magic + b"\0\2\0\0Mac OS X        " + bytes(2000))
    assert "macOS" in why_no_image(path)


@pytest.mark.parametrize("name", ["cut.tar", "CUT.TGZ", "cut.tar.zst", "cut.tar.003"])
@pytest.mark.parametrize("data", [b"", b"text", bytes(10_240), gzip.compress(IMAGE)[:30]])
def test_a_name_that_promises_an_archive_is_no_reason_to_leave_it_out_silently(
    tmp_path: Path, name: str, data: bytes
) -> None:
    with pytest.raises(SourceError, match=name):
        why_no_image(made(tmp_path, name, data))


@pytest.mark.parametrize("packed", ["gzip", "bzip2", "xz", "zstd"])
def test_an_archive_whose_compressed_data_ends_too_early_is_damaged(
    tmp_path: Path, packed: str
) -> None:
    noise = random.Random(2).randbytes(3_000_000)  # noqa: S311 - the same each time
    data = PACK[packed](tar(file("first", noise), file("second", noise)))
    with pytest.raises(SourceError, match="no-ending"):
        why_no_image(made(tmp_path, "no-ending", data[: len(data) // 2]))


@pytest.mark.parametrize("packed", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("size", [3_000, 70_000, 800_000])
@pytest.mark.parametrize(("name", "part"), [("shop-v2.img", 0.66), ("shop", 0.5), ("a.bin", 0.95)])
def test_a_small_image_whose_compressed_data_ends_too_early_is_damaged(
    tmp_path: Path, name: str, packed: str, size: int, part: float
) -> None:
    noise = random.Random(size).randbytes(size)  # noqa: S311 - the same each time
    data = PACK[packed](tar(*image(file("layer.tar", noise))))
    assert not _skipped(made(tmp_path, name, data[: int(len(data) * part)]))


def _skipped(path: Path) -> str:
    """Return why a folder's search leaves a file out with no more than a note; empty if not so."""
    try:
        return why_no_image(path)
    except SourceError:
        return ""


@pytest.mark.parametrize("packed", ["gzip", "xz"])
@pytest.mark.parametrize("size", [3_000, 70_000, 800_000])
def test_text_whose_compressed_data_ends_too_early_is_none(
    tmp_path: Path, packed: str, size: int
) -> None:
    text = random.Random(size).randbytes(size).hex().encode()  # noqa: S311 - the same each time
    data = PACK[packed](text)
    assert why_no_image(made(tmp_path, "log.1", data[: len(data) * 2 // 3]))


@pytest.mark.parametrize("length", [1024, 1536, 1537, 2048, len(CHART) - 1024])
def test_an_archive_that_is_cut_anywhere_is_damaged(tmp_path: Path, length: int) -> None:
    with pytest.raises(SourceError, match="truncated"):
        why_no_image(made(tmp_path, "cut", CHART[:length]))


def test_an_archive_of_very_many_files_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_ENOUGH", 3)
    members: list[Member] = [file(str(number), b"") for number in range(5)]
    assert "its first 3 files" in why_no_image(made(tmp_path, "many.tar", tar(*members)))


def test_a_file_that_is_not_there_or_is_a_folder_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(SourceError, match="cannot be read"):
            why_no_image(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tar", True),
        ("A.TAR.GZ", True),
        ("a.txz", True),
        ("disk.tar.000", True),
        ("a.tar.sha256", False),
        ("a.tar.asc", False),
        ("._a.tar", False),
        ("tar", False),
    ],
)
def test_a_name_promises_an_archive(name: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert promises_archive(Path(name)) == expected


def test_json_that_is_nested_without_end_may_have_been_a_list_of_images() -> None:
    assert judging.lists_images(b"[" * 100_000)
    assert judging.lists_images(json.dumps([{"Config": "x"}]).encode())


@pytest.mark.parametrize(
    "record",
    [
        b"27 GNU.sparse.map=1,junk,3\n",
        b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n",
        b"17 size=12345678x\n",
    ],
)
def test_a_header_that_cannot_be_read_is_said(tmp_path: Path, record: bytes) -> None:
    extended = tarfile.TarInfo("pax")
    extended.type = tarfile.XHDTYPE
    extended.size = len(record)
    data = tar(file("first", b""), (extended, record), file("second", b"x"))
    path = made(tmp_path, "odd.tar", data)
    with pytest.raises(SourceError, match=r"odd\.tar"):
        why_no_image(path)


def test_a_chain_of_extended_headers_has_an_end(tmp_path: Path) -> None:
    extended = tarfile.TarInfo("pax")
    extended.type = tarfile.XHDTYPE
    record = b"13 path=a/b\n"
    extended.size = len(record)
    data = tar(file("first", b""), *[(extended, record)] * 3000, file("second", b"x"))
    with pytest.raises(SourceError, match=r"odd\.tar"):
        why_no_image(made(tmp_path, "odd.tar", data))
