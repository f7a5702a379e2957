"""Folders of work in progress, and what is left of those that were killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.processes.scratch import abandoned, owned, scratch, sweep

PREFIX = ".out.tar."
_HOLDS = """
import sys, time
from pathlib import Path
from dockless.processes.scratch import scratch
with scratch(Path(sys.argv[1]), sys.argv[2]) as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""


def held(parent: Path, prefix: str = PREFIX) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a process that works in a folder."""
    child = subprocess.Popen(
        (sys.executable, "-c", _HOLDS, str(parent), prefix),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    return child, Path(os.fsdecode(child.stdout.readline().rstrip()))


def killed(parent: Path, prefix: str = PREFIX) -> Path:
    """Return the folder that a killed process left."""
    child, folder = held(parent, prefix)
    with child:
        child.send_signal(signal.SIGKILL)
    return folder


def test_a_folder_is_private_and_goes_with_the_block(tmp_path: Path) -> None:
    with scratch(tmp_path, PREFIX) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(PREFIX)
        assert folder.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.iterdir())


def test_a_folder_goes_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch(tmp_path, PREFIX):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("prefix", [PREFIX, ".install-", "dockless-"])
def test_what_killed_processes_left_goes_with_the_next_and_a_living_one_keeps_its(
    tmp_path: Path, prefix: str
) -> None:
    left = [killed(tmp_path, prefix) for _ in range(2)]
    child, living = held(tmp_path, prefix)
    with child:
        assert all(not each.exists() for each in left)
        with scratch(tmp_path, prefix) as mine:
            assert sorted(tmp_path.iterdir()) == sorted([living, mine])
            assert (living / "deep" / "file").exists()
        assert child.stdin
        child.stdin.close()
    assert not list(tmp_path.iterdir())


def _without_lock(folder: Path, tmp_path: Path) -> None:
    del tmp_path
    (folder / "lock").unlink()


def _link(folder: Path, tmp_path: Path) -> None:
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(tmp_path / "made")


def _fifo(folder: Path, tmp_path: Path) -> None:
    del tmp_path
    (folder / "lock").unlink()
    (folder / "lock").mkdir()


@pytest.mark.parametrize("change", [_without_lock, _link, _fifo])
def test_a_folder_that_is_not_marked_is_left_alone(
    tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    folder = killed(tmp_path)
    change(folder, tmp_path)
    sweep(tmp_path, PREFIX)
    assert (folder / "deep" / "file").exists()
    assert not (tmp_path / "made").exists()


def test_a_link_to_a_folder_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = killed(elsewhere)
    (tmp_path / f"{PREFIX}00link00").symlink_to(folder)
    sweep(tmp_path, PREFIX)
    assert folder.exists()


@pytest.mark.parametrize(("age", "there"), [(0, True), (7200, False)])
def test_an_empty_folder_goes_when_it_is_old(tmp_path: Path, age: int, *, there: bool) -> None:
    folder = tmp_path / f"{PREFIX}0000000x"
    folder.mkdir()
    os.utime(folder, (time.time() - age, time.time() - age))
    sweep(tmp_path, PREFIX)
    assert folder.exists() == there


@pytest.mark.parametrize("name", ["backup-of-may", "d", "old", "ORIGINAL", "a1b2c3d4e5"])
def test_a_folder_of_the_user_with_such_a_beginning_is_left_alone(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / f"{PREFIX}{name}"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "file").touch()
    sweep(tmp_path, PREFIX)
    assert (folder / "file").exists()


@pytest.mark.parametrize("text", ["pid 12", "\n", "the lock of the canal"])
def test_a_lock_with_content_is_no_mark(tmp_path: Path, text: str) -> None:
    folder = killed(tmp_path)
    (folder / "lock").write_text(text)
    sweep(tmp_path, PREFIX)
    assert (folder / "deep" / "file").exists()


def test_a_mark_is_one_of_a_living_process_until_it_ends(tmp_path: Path) -> None:
    assert not abandoned(tmp_path)
    with owned(tmp_path, "mark"):
        assert not abandoned(tmp_path, "mark")
    assert not abandoned(tmp_path, "mark")
    (tmp_path / "mark").touch()
    assert abandoned(tmp_path, "mark")


@pytest.mark.parametrize("user", [1, 1000, 65534])
def test_what_another_user_left_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    (tmp_path / "work-0000000a").mkdir()
    (tmp_path / "work-0000000a" / "lock").touch()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + user)
    sweep(tmp_path, "work-")
    assert (tmp_path / "work-0000000a" / "lock").exists()
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    sweep(tmp_path, "work-")
    assert not (tmp_path / "work-0000000a").exists()
