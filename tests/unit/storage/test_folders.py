import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from dockless.errors import PushError, UsageError
from dockless.storage.disk_errors import full_disk
from dockless.storage.folders import make_below, make_own, own_folder
from dockless.storage.locks import lock_file


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077])
@pytest.mark.parametrize("parent", [0o755, 0o1777, 0o777, 0o2777])
def test_a_folder_is_made_for_its_user_alone(
    tmp_path: Path, umask: Callable[[int], int], mask: int, parent: int
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(parent)
    umask(mask)
    for _ in range(2):
        own_folder(tmp_path / "shared" / "1000")
    assert stat.S_IMODE((tmp_path / "shared" / "1000").stat().st_mode) & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722, 0o1777, 0o2775])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "1000").mkdir()
    (tmp_path / "1000").chmod(mode)
    with pytest.raises(UsageError, match=f"{mode:04o}"):
        own_folder(tmp_path / "1000")


@pytest.mark.parametrize("uid", [0, 1001, 65534])
def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    (tmp_path / "1000").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + uid + 1)
    with pytest.raises(UsageError, match="belongs to uid"):
        own_folder(tmp_path / "1000")


@pytest.mark.parametrize("target", ["a folder", "a file", "nowhere"])
def test_a_link_is_never_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    (tmp_path / "1000").symlink_to(tmp_path / target)
    with pytest.raises(UsageError, match="symbolic link"):
        own_folder(tmp_path / "1000")


def test_what_was_deleted_is_made_again_for_its_user_alone(
    tmp_path: Path, umask: Callable[[int], int]
) -> None:
    umask(0o000)
    top = tmp_path / "shared" / "1000"
    make_below(top, top / "blobs" / "sha256")
    made = (top, top / "blobs", top / "blobs" / "sha256")
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 3


@pytest.mark.parametrize("text", ["precious", "", "x" * 5000])
def test_a_lock_changes_nothing_and_follows_no_link(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic"):
        lock_file(tmp_path / "link")
    lock_file(tmp_path / "file").close()
    assert (tmp_path / "file").read_text() == text


def test_a_lock_that_is_held_is_not_waited_for_where_nobody_wants_to(tmp_path: Path) -> None:
    with lock_file(tmp_path / "lock"), pytest.raises(BlockingIOError):
        lock_file(tmp_path / "lock", wait=False)
    lock_file(tmp_path / "lock", wait=False).close()


def test_a_lock_whose_file_was_deleted_locks_out_nobody(tmp_path: Path) -> None:
    first = lock_file(tmp_path / "lock")
    (tmp_path / "lock").unlink()
    with lock_file(tmp_path / "lock", wait=False) as second:
        assert not os.path.samestat(os.fstat(first.fileno()), os.fstat(second.fileno()))
    first.close()


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_lock_that_is_deleted_just_before_it_is_ours_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    flock, left = fcntl.flock, [times]

    def deleting(file: IO[bytes], how: int) -> None:
        if left[0]:
            left[0] -= 1
            (tmp_path / "lock").unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", deleting)
    with lock_file(tmp_path / "lock") as lock:
        assert os.path.samestat(os.fstat(lock.fileno()), (tmp_path / "lock").lstat())


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_folder_that_is_deleted_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    folder = tmp_path.joinpath(*"abcd"[:depth])
    folder.mkdir(parents=True)
    usual, looks = Path.is_dir, iter([True])

    def is_dir(path: Path) -> bool:
        if path == folder and next(looks, False):
            shutil.rmtree(tmp_path / "a")
        return usual(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    make_own(folder)
    assert usual(folder)


def test_what_is_no_folder_is_said_where_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError):
        make_own(tmp_path / "a")
    with pytest.raises(NotADirectoryError):
        make_own(tmp_path / "a" / "b")


def test_a_file_that_is_too_large_is_said_with_what_helps(tmp_path: Path) -> None:
    with pytest.raises(PushError, match="larger than files may be") as caught, full_disk(tmp_path):
        raise OSError(errno.EFBIG, "File too large")
    assert "ulimit -f" in caught.value.remedy


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_store_that_is_closed_during_a_run_is_said(tmp_path: Path, number: int) -> None:
    inside = OSError(number, "Permission denied", str(tmp_path / "runs"))
    with (
        pytest.raises(PushError, match="no longer permission to use") as caught,
        full_disk(tmp_path, below=True),
    ):
        raise inside
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy
    elsewhere = OSError(number, "Permission denied", "/elsewhere")
    with pytest.raises(PermissionError), full_disk(tmp_path, below=True):
        raise elsewhere
