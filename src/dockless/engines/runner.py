"""The one place where an engine is started: through a shell of `sh`, watched, and always ended.

The child gets an empty home, its credential as a file in memory, and of our environment only what
a network program needs.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dockless.engines.failures import failure
from dockless.engines.shell import Shell
from dockless.errors import LostCopyError, StalledError, out_of_time
from dockless.ports import Task
from dockless.processes.run import NETWORK_VARIABLES
from dockless.storage.disk_errors import full_disk
from dockless.storage.folders import make_own

_NOT_THERE = "no such file or directory"
_KEPT = (*NETWORK_VARIABLES, "PATH", "TZ")
_COMMIT_RATE = 20_000_000


class Limits(Struct, frozen=True):
    """How long an engine may take.

    Attributes:
        deadline: The moment, on the clock of `time.monotonic`, when it is ended; None for never.
        stall: Seconds without a byte moved after which it is ended.
    """

    deadline: float | None = None
    stall: float = 120.0

    def is_over(self) -> bool:
        """Whether the moment has come."""
        return self.deadline is not None and time.monotonic() > self.deadline


_OF_LAYOUTS = ("index.json", "manifest.json")


class Runner:
    """Runs the engines of one push.

    Args:
        environment: Ours; the engines get the proxies and certificates in it.
        home: A private folder for them, made here when it is used.
        host: The registry, for messages.
        limits: How long they may take.
        shell: Starts them.
    """

    def __init__(
        self, environment: Mapping[str, str], home: Path, host: str, limits: Limits, shell: Shell
    ) -> None:
        self._home = home
        self._host = host
        self._limits = limits
        self._shell = shell
        self._environment = {key: environment[key] for key in _KEPT if key in environment} | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "TMPDIR": str(home),
            "LC_ALL": "C",
        }

    @property
    def home(self) -> Path:
        """The private folder, which is created again if it was deleted."""
        return _made(self._home)

    def _was_deleted(self, said: str) -> bool:
        """Whether an engine misses a file of this push, which stand together in one folder.

        A layout, or skopeo's form of one, that still stands never had the blob: the registry had
        said that it has it.
        """
        files = re.search(rf"{re.escape(str(self._home.parent))}/[^\s:]+", said)
        if files is None or _NOT_THERE not in said.lower():
            return False
        folders = Path(files[0]).parents
        return not any((each / name).exists() for each in folders for name in _OF_LAYOUTS)

    def run(
        self,
        program: Path,
        arguments: tuple[str, ...],
        extra: Mapping[str, str],
        descriptors: set[int],
        sending: Task | None = None,
    ) -> str:
        """Run an engine to its end, and return its stdout.

        Args:
            program: The engine.
            arguments: Its arguments.
            extra: Environment that only this engine needs.
            descriptors: Open files that it reads by their `path_of`.
            sending: Counts the bytes that it writes.

        Raises:
            NetworkError: The network, the registry, a stall or the deadline stopped it.
            AuthError: The registry does not allow it.
            PushError: It failed in another way.
            LostCopyError: Its input was deleted in the meantime.
            EngineError: It cannot be started.
        """
        if self._limits.is_over():  # the registry took it all before
            raise out_of_time(self._host)
        _made(self._home)
        watch = _Watch(program.name, self._host, self._limits, sending)
        argv = (str(program), *arguments)
        ended = self._shell.run(argv, self._environment | dict(extra), descriptors, watch.look)
        if ended.status:
            said = ended.stderr.decode(errors="replace")
            if self._was_deleted(said):
                raise LostCopyError(
                    f"What {program.name} was reading was deleted during the run.", "Run it again."
                )
            raise failure(program.name, self._host, ended.status, said)
        return ended.stdout.decode(errors="replace")


def _made(home: Path) -> Path:
    with full_disk(home):
        make_own(home)
    return home


class _Watch:
    """Looks at the byte counters of an engine."""

    def __init__(self, engine: str, host: str, limits: Limits, sending: Task | None) -> None:
        self._engine = engine
        self._host = host
        self._limits = limits
        self._sending = sending
        self._moved: tuple[int, int] | None = None
        self._changed = time.monotonic()

    def look(self, pid: int) -> None:
        """Count what was written; raise NetworkError when the engine's time is over."""
        before, self._moved, now = self._moved, _moved(pid) or self._moved, time.monotonic()
        if self._sending:
            sent = self._moved[1] - before[1] if self._moved and before else 0
            self._sending.advance(max(0, sent))
        if self._moved != before:
            self._changed = now
        stall = self._limits.stall
        if self._limits.is_over():
            raise out_of_time(self._host)
        # what it sent last may be committed for long before the registry answers
        if self._moved and now - self._changed > stall + self._moved[1] / _COMMIT_RATE:
            raise _stalled(self._engine, self._host, stall)


def _moved(pid: int) -> tuple[int, int] | None:
    """Return the bytes that a process has read and written so far; None where unknown."""
    try:
        fields = Path(f"/proc/{pid}/io").read_text().split()
        return int(fields[1]), int(fields[3])
    except (OSError, IndexError, ValueError):
        return None


def _stalled(engine: str, host: str, seconds: float) -> StalledError:
    return StalledError(
        f"{engine} transferred no byte to or from {host} for {seconds:g} seconds.",
        "Check the network, or push with another --engine.",
    )
