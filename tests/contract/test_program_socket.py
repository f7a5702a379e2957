"""A ProxyCommand as a socket, with real programs."""

import os
import shlex
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.processes.program_socket import ProxySocket


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for pid in pids(tmp_path):
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def pids(folder: Path) -> list[int]:
    file = folder / "pids"
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(met: Callable[[], bool]) -> None:
    limit = time.monotonic() + 120
    while not met():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["DOCKLESS_PASSWORD", "DOCKLESS_KEYRING_PASSWORD", "DOCKLESS_X"])
def test_a_proxy_command_sees_none_of_our_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "hunter2-SECRET")
    wire = ProxySocket("sh -c 'env >seen; echo ready; exec sleep 600'")
    wire.settimeout(60)
    assert wire.recv(100) == b"ready\n"
    wire.close()
    assert "PATH=" in (folder / "seen").read_text()
    assert "hunter2" not in (folder / "seen").read_text()


@pytest.mark.parametrize(
    "script",
    [
        "sleep 600 & echo $! >>pids; wait",
        "setsid sleep 600 & echo $! >>pids; wait",
        "trap '' TERM; sleep 600 & echo $! $$ >>pids; wait; wait",
    ],
)
def test_a_proxy_command_ends_with_what_it_started(folder: Path, script: str) -> None:
    wire = ProxySocket(f"sh -c {shlex.quote(script)}")
    until(lambda: bool(pids(folder)))
    wire.close()
    until(lambda: all(map(gone, pids(folder))))


@pytest.mark.parametrize("command", ["a\0b", "\ud800", "x\0"])
def test_a_proxy_command_that_cannot_be_started_is_no_fault_of_the_network(command: str) -> None:
    with pytest.raises(EngineError, match="ProxyCommand cannot be started"):
        ProxySocket(command)


@pytest.mark.parametrize("names", [("TMPDIR",), ("TMPDIR", "TEMP"), ("TMPDIR", "TEMP", "TMP")])
def test_a_proxy_command_needs_no_folder_that_can_be_written_to(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in names:
        monkeypatch.setenv(name, "/proc")
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    wire = ProxySocket("echo last words >&2")
    wire.settimeout(60)
    with pytest.raises(OSError, match="last words"):
        wire.recv(100)
    wire.close()
