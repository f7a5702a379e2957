import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.storage import digest_file
from dockless.storage.output_files import refuse_inputs, refuse_within
from dockless.storage.receipt_file import ReceiptFile


def same(path: Path) -> Path:
    return path


def dotted(path: Path) -> Path:
    return path.parent / "x" / ".." / path.name


def linked(path: Path) -> Path:
    made = path.with_name("link")
    made.symlink_to(path)
    return made


def hard(path: Path) -> Path:
    made = path.with_name("hard")
    os.link(path, made)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "x").mkdir()
    made = tmp_path / "image.tar"
    made.write_bytes(b"image")
    return made


@pytest.mark.parametrize("way", [same, dotted, linked, hard])
def test_an_input_is_not_written_over_by_any_of_its_paths(
    source: Path, way: Callable[[Path], Path]
) -> None:
    with pytest.raises(UsageError, match="--receipt would write") as caught:
        refuse_inputs(way(source), "--receipt", [source.with_name("other"), source])
    assert "--receipt" in caught.value.remedy
    assert source.read_bytes() == b"image"


@pytest.mark.parametrize("name", ["new.json", "x/new.json", "gone/new.json", "image.tar.json"])
def test_what_is_no_input_may_be_written(source: Path, name: str) -> None:
    refuse_inputs(source.parent / name, "--receipt", [source, source.parent / "gone"])


def test_two_paths_that_lead_nowhere_are_compared_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError):
        refuse_inputs(tmp_path / "link", "-o", [tmp_path / "gone"])


@pytest.mark.parametrize("name", ["x/disk.tar", "x/deep/disk.tar", "to-x/disk.tar"])
def test_nothing_is_written_into_a_folder_that_is_read(source: Path, name: str) -> None:
    folder = source.parent / "x"
    (source.parent / "to-x").symlink_to(folder)
    with pytest.raises(UsageError, match="lies inside the source"):
        refuse_within(source.parent / name, "-o", [source, folder])


@pytest.mark.parametrize("name", ["disk.tar", "y/disk.tar", "xx/disk.tar"])
def test_a_folder_beside_one_that_is_read_may_be_written(source: Path, name: str) -> None:
    refuse_within(source.parent / name, "-o", [source, source.parent / "x"])


@pytest.mark.parametrize("option", ["--receipt", "--merge"])
@pytest.mark.parametrize("path", ["-", "./-"])
def test_a_receipt_is_no_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"{option} writes a file") as caught:
        ReceiptFile(Path(path), option)
    assert f"{option} /dev/stdout" in caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_neither_is_a_digest_file_and_other_names_with_a_dash_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--digest-file writes a file"):
        digest_file.check(Path("-"))
    for name in ("--", "-x", "x-", tmp_path / "-"):
        digest_file.check(Path(name))
        ReceiptFile(Path(name)).close()
