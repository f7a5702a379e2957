"""A file that is written under a name of its own touches no other file."""

import errno
import json
import os
from pathlib import Path

import pytest

from dockless.config import docker_config
from dockless.config.docker_config import ProjectSession
from dockless.errors import PushError, UsageError
from dockless.storage import file_links
from dockless.storage.drafts import draft_of, open_draft, sweep_drafts, write_draft
from dockless.storage.receipt_file import ReceiptFile

RECEIPT = '{"receiptVersion": 1, "target": "r"}'
NEXT_TO_IT = (".r.json.new", ".r.json.draft", ".r.json.0123abcd", ".r.json.lock")


@pytest.mark.parametrize("name", NEXT_TO_IT)
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_lies_next_to_a_receipt_stays(tmp_path: Path, name: str, kind: str) -> None:
    other = tmp_path / name
    if kind == "file":
        other.write_text("my notes")
    elif kind == "folder":
        other.mkdir()
    else:
        other.symlink_to("nowhere")
    before = other.lstat()
    file = ReceiptFile(tmp_path / "r.json")
    file.write(RECEIPT)
    file.write(RECEIPT)
    file.close()
    assert other.lstat() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "r.json"])


@pytest.mark.parametrize("text", ["my precious notes\n", "- app:1\n", "PK\x03\x04", "{}"])
@pytest.mark.parametrize("how", ["moved", "in place"])
def test_a_file_that_takes_the_place_of_a_receipt_stays(
    tmp_path: Path, text: str, how: str
) -> None:
    path = tmp_path / "r.json"
    file = ReceiptFile(path)
    file.write(RECEIPT)
    if how == "moved":
        path.rename(tmp_path / "r.old")
    path.write_text(text)
    with pytest.raises(PushError, match="exists and is not a receipt"):
        file.write(RECEIPT)
    file.close()
    assert path.read_text() == text
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_so_does_what_is_no_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "r.json"
    file = ReceiptFile(path)
    file.write(RECEIPT)
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(PushError, match="cannot be written"):
        file.write(RECEIPT)
    assert os.path.lexists(path)
    assert not path.is_file()
    file.close()


def test_a_receipt_that_was_removed_is_written_again(tmp_path: Path) -> None:
    file = ReceiptFile(tmp_path / "r.json")
    file.write(RECEIPT)
    (tmp_path / "r.json").unlink()
    file.write(RECEIPT)
    file.close()
    assert (tmp_path / "r.json").read_text() == RECEIPT


def test_an_empty_file_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "r.json").touch()
    ReceiptFile(tmp_path / "r.json").close()
    assert (tmp_path / "r.json").exists()


@pytest.mark.parametrize("name", ["r.json", "s.tar", "x"])
def test_the_draft_of_a_killed_process_goes_and_others_stay(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    descriptor, left = open_draft(path, 0o600)
    os.close(descriptor)
    others = [tmp_path / each for each in (f".{name}.dockless-x", f".y.{name}.dockless-0000000a")]
    for each in others:
        each.touch()
    sweep_drafts(path)
    assert not left.exists()
    assert all(each.exists() for each in others)


def test_a_draft_whose_name_is_taken_gets_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter([b"\0\0\0\0", b"\0\0\0\0", b"\0\0\0\1"])
    monkeypatch.setattr(os, "urandom", lambda _: next(names))
    taken = tmp_path / ".r.dockless-00000000"
    taken.write_text("mine")
    write_draft(tmp_path / "r", b"data")
    assert taken.read_text() == "mine"
    assert (tmp_path / "r").read_bytes() == b"data"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_draft_that_fails_is_gone(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), draft_of(tmp_path / "r"):
        raise error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [".target.draft", ".target.new", ".target.0000000a"])
def test_a_copy_touches_nothing_next_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refused)
    (tmp_path / name).write_text("mine")
    (tmp_path / "source").write_text("data")
    file_links.place(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "data"
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_session_keeps_its_mode_and_leaves_nothing(tmp_path: Path, mode: int) -> None:
    path = tmp_path / docker_config.FILE
    path.write_text("{}")
    path.chmod(mode)
    docker_config.write(tmp_path, ProjectSession(registry="ghcr"))
    assert path.stat().st_mode & 0o777 == mode
    assert json.loads(path.read_text())["registry"] == "ghcr"
    assert list(tmp_path.iterdir()) == [path]


def test_a_receipt_over_another_file_is_a_usage_error_before_the_first(tmp_path: Path) -> None:
    file = ReceiptFile(tmp_path / "r.json")
    (tmp_path / "r.json").unlink()
    (tmp_path / "r.json").write_text("mine")
    with pytest.raises(UsageError, match="is not a receipt"):
        file.write(RECEIPT)
    file.close()
    assert (tmp_path / "r.json").read_text() == "mine"
