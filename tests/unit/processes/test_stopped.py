"""Programs that are stopped, as by SIGSTOP: they are ended, and `--timeout` need not wait for them.

SIGTERM reaches a stopped program only when it goes on; so each of them writes that it was reached.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import EngineError, NetworkError
from dockless.processes.children import end
from dockless.processes.group import run_in_group
from dockless.processes.run import run, run_visibly, stream

ENVIRONMENT = {"PATH": os.defpath}
# the trap runs where the signal reaches it
STOPS = "trap 'echo told >told; exit 3' TERM; echo $$ >pid; {also}kill -STOP $$; sleep 60"


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def state(path: Path) -> str:
    """Return the state of the process whose number a file has, as proc(5) has it; Z for none."""
    try:
        number = int(path.read_text())
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except ValueError:
        return ""
    except FileNotFoundError:
        return "Z" if path.exists() else ""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("also", ["", "echo some output; ", "exec >&-; "])
def test_a_stopped_program_that_is_read_is_told_to_end(tmp_path: Path, also: str) -> None:
    with stream(("sh", "-c", STOPS.format(also=also)), ENVIRONMENT):
        until(lambda: state(tmp_path / "pid") == "T")
    assert (tmp_path / "told").read_text() == "told\n"
    assert state(tmp_path / "pid") == "Z"


@pytest.mark.parametrize("also", ["", "trap '' TERM; ", "trap '' CONT; "])
def test_a_stopped_program_that_is_read_is_ended(tmp_path: Path, also: str) -> None:
    with stream(("sh", "-c", STOPS.format(also=also)), ENVIRONMENT):
        until(lambda: state(tmp_path / "pid") == "T")
    assert state(tmp_path / "pid") == "Z"


STARTS = pytest.mark.parametrize(
    "start",
    [
        lambda argv: run(argv, ENVIRONMENT, timeout=5),
        lambda argv: run(argv, ENVIRONMENT, timeout=5, alone=True),
        lambda argv: run(argv, ENVIRONMENT, timeout=5, stdin=bytes(1 << 20)),
        lambda argv: run_visibly(argv, ENVIRONMENT, "."),
        lambda argv: run_in_group(argv, ENVIRONMENT, timeout=5, cwd=Path.cwd()),
    ],
    ids=["run", "run alone", "run with input", "run_visibly", "run_in_group"],
)


@STARTS
@pytest.mark.parametrize("also", ["", "trap '' TERM; "])
def test_the_time_of_the_command_ends_a_stopped_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[..., object], also: str
) -> None:
    monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() + 0.5)
    with pytest.raises(NetworkError, match="within --timeout"):
        start(("sh", "-c", STOPS.format(also=also).replace("sleep 60", "sleep 8")))
    assert state(tmp_path / "pid") in ("Z", "")


def test_a_program_that_closes_its_output_and_is_stopped_ends_with_the_time_of_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with stream(("sh", "-c", STOPS.format(also="exec >&-; ")), ENVIRONMENT) as running:
        until(lambda: state(tmp_path / "pid") == "T")
        monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() + 0.2)
        with pytest.raises(NetworkError, match="within --timeout"):
            running.finish()


def test_without_a_limit_of_the_command_a_program_has_its_own() -> None:
    with pytest.raises(EngineError, match="within 1 seconds"):
        run(("sh", "-c", "kill -STOP $$"), ENVIRONMENT, timeout=1)


@pytest.mark.parametrize("also", ["", "sleep 60 & echo $! >child; kill -STOP $!; "])
def test_a_stopped_group_is_told_to_end(tmp_path: Path, also: str) -> None:
    script = tmp_path / "proxy.sh"
    script.write_text(STOPS.format(also=also))
    with subprocess.Popen(("sh", script), start_new_session=True) as started:
        until(lambda: state(tmp_path / "pid") == "T")
        end(started)
    assert (tmp_path / "told").read_text() == "told\n"
    if also:
        until(lambda: state(tmp_path / "child") == "Z")
