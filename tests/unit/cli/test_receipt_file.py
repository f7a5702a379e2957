import os
import threading
from pathlib import Path

import pytest

from dockless.cli.receipt_file import ReceiptFile
from dockless.model.errors import UsageError


@pytest.fixture(params=["new", "old", "link", "read-only"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    if request.param != "new":
        path.write_text("old")
    if request.param == "link":
        link = tmp_path / "link.json"
        link.symlink_to(path)
        return link
    if request.param == "read-only":
        path.chmod(0o400)
    return path


def test_one_run_at_a_time_writes_a_receipt(path: Path) -> None:
    file = ReceiptFile(path)
    for text in ("one", "two", "three"):
        with pytest.raises(UsageError, match="Another run is writing the receipt"):
            ReceiptFile(path)
        file.write(text)
        assert path.read_text() == text
    with pytest.raises(UsageError, match="Another run"):
        ReceiptFile(path)
    file.close()
    ReceiptFile(path).close()
    assert path.read_text() == "three"


def test_a_receipt_that_was_not_written_is_as_it_was(path: Path) -> None:
    before = path.read_text() if path.exists() else None
    ReceiptFile(path).close()
    assert (path.read_text() if path.exists() else None) == before
    assert not [*path.parent.glob(".*")]


def test_a_draft_that_was_left_behind_is_in_nobodys_way(path: Path) -> None:
    path.with_name(f".{path.name}.new").write_text("half")
    file = ReceiptFile(path)
    file.write("whole")
    file.close()
    assert path.read_text() == "whole"
    assert not [*path.parent.glob(".*")]


def test_a_device_is_written_as_it_is_and_not_locked(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reading.start()
    one, other = ReceiptFile(pipe), ReceiptFile(pipe)
    one.write("told")
    reading.join(30)
    assert read == ["told"]
    one.close()
    other.close()


@pytest.mark.parametrize("name", ["none/receipt.json", "folder"])
def test_a_receipt_that_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        ReceiptFile(tmp_path / name).write("text")
