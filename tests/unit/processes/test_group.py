import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.processes.group import run_in_group

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "DOCKLESS_PASSWORD": "known"}
# a program that starts another one, and waits for it
NESTED = "sleep 600 & echo $! > child; echo $$ > parent; wait"


def shell(folder: Path, script: str, seconds: float = 60) -> str:
    done = run_in_group(("/bin/sh", "-c", script), ENVIRONMENT, timeout=seconds, cwd=folder)
    return f"{done.code} {done.stdout.decode().strip()} {done.stderr}"


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def pids(folder: Path) -> Iterator[int]:
    return (int((folder / name).read_text()) for name in ("parent", "child"))


def test_a_program_runs_in_its_folder_without_our_secrets(tmp_path: Path) -> None:
    script = 'pwd; echo said >&2; test -z "$DOCKLESS_PASSWORD" && exit 3'
    assert shell(tmp_path, script) == f"3 {tmp_path} said"


def test_what_a_program_leaves_running_is_ended(tmp_path: Path) -> None:
    shell(tmp_path, "sleep 600 >&- 2>&- & echo $! > child; echo $$ > parent")
    until(lambda: all(map(gone, pids(tmp_path))))


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="did not end within 1 seconds"):
        shell(tmp_path, NESTED, seconds=1)
    until(lambda: all(map(gone, pids(tmp_path))))


def test_an_interrupt_ends_a_program_with_all_that_it_started(tmp_path: Path) -> None:
    def interrupt() -> None:
        until(lambda: (tmp_path / "parent").exists() and (tmp_path / "parent").read_text() != "")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        shell(tmp_path, NESTED)
    thread.join()
    until(lambda: all(map(gone, pids(tmp_path))))


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be started: No such file"):
        run_in_group((str(tmp_path / "absent"),), {}, timeout=1, cwd=tmp_path)


@pytest.mark.parametrize("argument", ["a\0b", "\ud800", "\0"])
def test_an_argument_that_no_program_can_have_is_an_error(tmp_path: Path, argument: str) -> None:
    with pytest.raises(EngineError, match="not valid text"):
        run_in_group(("/bin/echo", argument), ENVIRONMENT, timeout=60, cwd=tmp_path)
