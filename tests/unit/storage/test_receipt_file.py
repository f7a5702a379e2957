import errno
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import NetworkError, PushError, UsageError
from dockless.storage.receipt_file import ReceiptFile


def receipt(text: str) -> str:
    return f'{{"receiptVersion": 1, "target": "{text}"}}'


@pytest.fixture(params=["new", "old", "link", "read-only"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    if request.param != "new":
        path.write_text(receipt("old"))
    if request.param == "link":
        link = tmp_path / "link.json"
        link.symlink_to(path)
        return link
    if request.param == "read-only":
        path.chmod(0o400)
    return path


def test_one_run_at_a_time_writes_a_receipt(path: Path) -> None:
    file = ReceiptFile(path)
    for text in map(receipt, ("one", "two", "three")):
        with pytest.raises(UsageError, match="Another run is writing the receipt"):
            ReceiptFile(path)
        file.write(text)
        assert path.read_text() == text
    with pytest.raises(UsageError, match="Another run"):
        ReceiptFile(path)
    file.close()
    ReceiptFile(path).close()
    assert path.read_text() == receipt("three")


def test_a_receipt_that_was_not_written_is_as_it_was(path: Path) -> None:
    before = path.read_text() if path.exists() else None
    ReceiptFile(path).close()
    assert (path.read_text() if path.exists() else None) == before
    assert not [*path.parent.glob(".*")]


def test_a_draft_that_was_left_behind_is_in_nobodys_way(path: Path) -> None:
    real = path.resolve()
    real.with_name(f".{real.name}.dockless-0000000a").write_text("half")
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


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("before", [0, 2])
def test_a_full_disk_is_no_fault_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, before: int
) -> None:
    path = tmp_path / "receipt.json"
    file = ReceiptFile(path)
    for number in range(before):
        file.write(receipt(str(number)))

    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(PushError, match="cannot be written") as caught:
            file.write(receipt("last"))
    assert "on another disk" in caught.value.remedy
    assert path.read_text() == (receipt(str(before - 1)) if before else "")
    file.write(receipt("last"))
    file.close()
    assert path.read_text() == receipt("last")


def test_a_folder_that_is_deleted_later_is_no_fault_of_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = ReceiptFile(folder / "receipt.json")
    file.write(receipt("one"))
    shutil.rmtree(folder)
    with pytest.raises(PushError, match="cannot be written"):
        file.write(receipt("two"))
    file.close()


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b'{"imageLayoutVersion": "1.0.0"}', b"- app:1\n", b"\x00" * 10_000]
)
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_is_no_receipt_is_kept(tmp_path: Path, content: bytes, linked: bool) -> None:  # noqa: FBT001 - a parameter
    path = tmp_path / "file"
    path.write_bytes(content)
    given = tmp_path / "link"
    given.symlink_to(path)
    with pytest.raises(UsageError, match="is not a receipt"):
        ReceiptFile(given if linked else path)
    assert path.read_bytes() == content


def test_a_link_stays_one_and_its_file_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "receipt.json", tmp_path / "link.json"
    path.write_text(receipt("old"))
    path.chmod(0o600)
    link.symlink_to(path)
    file = ReceiptFile(link)
    file.write(receipt("new"))
    file.close()
    assert link.is_symlink()
    assert path.read_text() == receipt("new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_of_the_system_is_never_replaced() -> None:
    file = ReceiptFile(Path("/dev/null"))
    file.write(receipt("one"))
    file.close()
    assert Path("/dev/null").is_char_device()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_a_reader_that_stops_is_waited_for_until_the_time_is_over(
    tmp_path: Path, size: int
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    concurrency.end_by(time.monotonic())
    try:
        with pytest.raises(NetworkError, match="--timeout"):
            ReceiptFile(pipe).write("x" * size)
    finally:
        concurrency.end_by(None)
        os.close(reader)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("size", [80_000, 100_000, 1_000_000])
@pytest.mark.parametrize("taken", [0, 8192])
def test_a_reader_that_takes_nothing_is_not_waited_for_without_end(
    tmp_path: Path, size: int, taken: int
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    reading = threading.Timer(0.2, lambda: os.read(reader, taken) if taken else None)
    reading.start()
    try:
        with pytest.raises(PushError, match="its reader takes nothing"):
            ReceiptFile(pipe, patience=1.0).write("x" * size)
    finally:
        reading.join()
        os.close(reader)


@pytest.mark.parametrize("make", [os.mkfifo, Path.touch])
def test_only_a_file_is_replaced(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "receipt")
    file = ReceiptFile(tmp_path / "receipt")
    assert file.is_replaced == (make is Path.touch)
    file.close()


def test_a_pipe_that_may_not_be_written_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(os, "access", lambda *_: False)
    for path in (tmp_path / "pipe", Path("/dev/full"), Path("/dev/null")):
        with pytest.raises(UsageError, match="cannot be written: Permission denied"):
            ReceiptFile(path)


@pytest.mark.parametrize("name", [".", "folder", "link"])
def test_a_folder_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(UsageError, match="cannot be written: it is a folder"):
        ReceiptFile(tmp_path / name)


@pytest.mark.parametrize("name", ["socket", "link"])
def test_a_socket_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    (tmp_path / "link").symlink_to("socket")
    with pytest.raises(UsageError, match="cannot be written: it is a socket"):
        ReceiptFile(tmp_path / name)


@pytest.mark.parametrize("writes", [0, 1, 3])
def test_the_other_names_of_a_receipt_are_locked_as_well(tmp_path: Path, writes: int) -> None:
    (tmp_path / "a").write_text(receipt("old"))
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    file = ReceiptFile(tmp_path / "a")
    for number in range(writes):
        file.write(receipt(f"new {number}"))
    with pytest.raises(UsageError, match="Another run is writing the receipt"):
        ReceiptFile(tmp_path / "b")
    file.close()
    ReceiptFile(tmp_path / "b").close()
    assert (tmp_path / "b").read_text() == receipt("old")


@pytest.mark.parametrize("option", ["--receipt", "--merge"])
def test_an_input_is_not_overwritten(path: Path, option: str) -> None:
    if path.exists():
        path.chmod(0o600)  # one is read-only
    path.write_text(receipt("old"))
    with pytest.raises(UsageError, match=f"{option} would write .* which is (also the|an) input"):
        ReceiptFile(path, option, inputs=[path.with_name("other"), path.resolve()])
    assert path.read_text() == receipt("old")


def test_what_is_no_input_is_written(tmp_path: Path) -> None:
    file = ReceiptFile(tmp_path / "receipt.json", inputs=[tmp_path / "image.tar"])
    file.write(receipt("new"))
    file.close()
    assert (tmp_path / "receipt.json").read_text() == receipt("new")
