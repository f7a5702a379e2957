"""What a program has started ends with it, whether the program is a script that waits or not."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import NetworkError
from dockless.processes.children import child, end, kill
from dockless.processes.run import run, run_visibly, stream

ENVIRONMENT = {"PATH": os.defpath}
# scripts that wait for another program, as those of gcloud and az do
WRAPPERS = {
    "one": "sleep 600 & echo $! >>pids; wait",
    "two": "sh -c 'sleep 600 & echo $! >>pids; wait'; exit $?",
    "aside": "sh -c 'setsid sleep 600 & echo $! >>pids; wait'; exit 3",
    "deaf": "sh -c 'trap \"\" TERM HUP; sleep 600 & echo $! $$ >>pids; wait; wait'; exit 3",
    "group": "set -m; sleep 600 & echo $! >>pids; sleep 600 & echo $! >>pids; wait",
}


def until(met: Callable[[], bool]) -> None:
    limit = time.monotonic() + 120
    while not met():
        assert time.monotonic() < limit
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def pids(self) -> list[int]:
        file = self.path / "pids"
        return [int(word) for word in file.read_text().split()] if file.exists() else []

    def all_gone(self) -> bool:
        return bool(self.pids()) and all(map(gone, self.pids()))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.chdir(tmp_path)
    made = Folder(tmp_path)
    yield made
    for pid in made.pids():
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


STARTS: dict[str, Callable[[tuple[str, ...]], object]] = {
    "run": lambda argv: run(argv, ENVIRONMENT, timeout=60),
    "run alone": lambda argv: run(argv, ENVIRONMENT, timeout=60, alone=True),
    "run_visibly": lambda argv: run_visibly(argv, ENVIRONMENT, "."),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("start", STARTS)
def test_a_signal_ends_what_a_script_has_started(folder: Folder, start: str, wrapper: str) -> None:
    def interrupt() -> None:
        until(lambda: (folder.path / "pids").exists() and bool(folder.pids()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        STARTS[start](("sh", "-c", WRAPPERS[wrapper]))
    thread.join()
    until(folder.all_gone)


@pytest.mark.parametrize("start", STARTS)
def test_the_time_of_the_command_ends_what_a_script_has_started(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() + 2)
    with pytest.raises(NetworkError, match="within --timeout"):
        STARTS[start](("sh", "-c", f"echo $$ >>pids; {WRAPPERS['two']}"))
    until(folder.all_gone)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_what_a_script_that_is_read_has_started_ends_with_the_block(
    folder: Folder, wrapper: str
) -> None:
    with stream(("sh", "-c", WRAPPERS[wrapper]), ENVIRONMENT):
        until(lambda: bool(folder.pids()))
    until(folder.all_gone)


@pytest.mark.parametrize("finish", [kill, end])
def test_what_starts_programs_without_end_is_ended(
    folder: Folder, finish: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    forks = "echo $$ >>pids; while :; do sleep 0.01 & echo $! >>pids; wait; done"
    with child(("sh", "-c", forks), ENVIRONMENT) as started:
        until(lambda: bool(folder.pids()))
        finish(started)
    until(folder.all_gone)


BUILDERS = (
    "trap 'echo removed >done; exit 3' TERM; echo $$ >>pids; sleep 600 & wait",
    "sh -c 'trap \"echo removed >done; exit 3\" TERM; echo $$ >>pids; sleep 600 & wait'; exit $?",
    "trap 'sleep 0.5; echo removed >done; exit 3' TERM; echo $$ >>pids; sleep 600 & wait",
)


@pytest.mark.parametrize("script", BUILDERS)
def test_a_builder_may_remove_what_it_has_made(folder: Folder, script: str) -> None:
    """It is asked to end, also below a script, and killed only if it does not."""

    def interrupt() -> None:
        until(lambda: bool(folder.pids()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_visibly(("sh", "-c", script), ENVIRONMENT, ".")
    thread.join()
    assert (folder.path / "done").read_text() == "removed\n"
