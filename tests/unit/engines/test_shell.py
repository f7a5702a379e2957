"""What an engine started, and whatever else, ends with the shell that started it."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.engines.shell import Shell

PATIENCE_MS = 60_000
ENVIRONMENT = {"PATH": os.defpath}
RUNS = "import sys; from dockless.engines.shell import Shell; Shell().run(sys.argv[1:], {}, (), id)"
WORK = "exec 8>'{fifo}'; echo up >&8; for i in 1 2 3 4 5 6 7 8 9; do sleep 10; done"
ENGINES = pytest.mark.parametrize(
    "engine",
    [
        WORK,
        "trap '' TERM; " + WORK,
        "({work}) & wait",
        "(trap '' TERM; {work}) & wait",
        "({work}) >/dev/null 2>&1 & wait",
        "( ( {work} ) & ); sleep 60",
        'exec sh -c "{work}"',
    ],
    ids=["itself", "deaf", "wrapped", "wrapped-deaf", "wrapped-mute", "grandchild", "exec"],
)


class Held:
    """A FIFO that what was started holds open for as long as it lives."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def wait(self) -> bytes:
        """Return what comes next; nothing when everyone who held it has ended."""
        assert self._poll.poll(PATIENCE_MS), "it neither wrote nor ended"
        return os.read(self._file, 100)

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    made = Held(tmp_path / "held")
    yield made
    made.close()


def argv(engine: str, held: Held) -> list[str]:
    work = WORK.replace("{fifo}", str(held.path))
    return ["/bin/sh", "-c", engine.replace("{work}", work).replace("{fifo}", str(held.path))]


@ENGINES
def test_what_an_engine_started_ends_with_an_interrupt(engine: str, held: Held) -> None:
    def interrupt() -> None:
        held.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        Shell().run(argv(engine, held), ENVIRONMENT, (), lambda _: None)
    assert held.wait() == b""


@ENGINES
def test_what_an_engine_started_ends_when_we_are_killed(engine: str, held: Held) -> None:
    with subprocess.Popen([sys.executable, "-c", RUNS, *argv(engine, held)]) as child:
        try:
            assert held.wait() == b"up\n"
        finally:
            child.kill()
    assert held.wait() == b""


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


STOPS = (
    "exec 8>'{fifo}'; trap 'echo told >&8; exit' TERM; {also}echo $$ >&8; kill -STOP $$; sleep 60"
)
STOPPED = pytest.mark.parametrize("also", ["", "trap '' HUP; ", "exec >&- 2>&-; "])


class LateError(Exception):
    """The time of the engine is over."""


@STOPPED
def test_a_stopped_engine_is_told_to_end(also: str, held: Held) -> None:
    def look(pid: int) -> None:
        if is_stopped(pid):
            raise LateError

    with pytest.raises(LateError):
        Shell().run(argv(STOPS.replace("{also}", also), held), ENVIRONMENT, (), look)
    said = b""
    while part := held.wait():
        said += part
    assert said.endswith(b"\ntold\n")


@STOPPED
def test_a_stopped_engine_is_told_to_end_when_we_are_killed(also: str, held: Held) -> None:
    engine = argv(STOPS.replace("{also}", also), held)
    with subprocess.Popen([sys.executable, "-c", RUNS, *engine]) as child:
        try:
            pid = int(held.wait())
            end = time.monotonic() + PATIENCE_MS / 1000
            while not is_stopped(pid) and time.monotonic() < end:
                time.sleep(0.01)
        finally:
            child.kill()
    assert held.wait() == b"told\n"
    assert held.wait() == b""


def test_what_an_engine_leaves_behind_ends_with_the_shell(held: Held) -> None:
    shell = Shell()
    ended = shell.run(argv("({work}) & exit 3", held), ENVIRONMENT, (), lambda _: None)
    assert ended.status == 3
    assert held.wait() == b"up\n"
    shell.close()
    assert held.wait() == b""
