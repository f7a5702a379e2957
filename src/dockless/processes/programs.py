"""The programs of a machine: this one's, or, as `ssh.executor` has them, another's."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dockless.processes.run import Finished, run, run_visibly, stream
from dockless.processes.search import find_program


class Readable(Protocol):
    """What is read of a program's output."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class Running(Protocol):
    """A running program whose stdout is read while it writes."""

    @property
    def stdout(self) -> Readable:
        """What it writes."""

    def finish(self) -> Finished:
        """Wait for the end after stdout ran dry, and return the status and stderr."""


class Programs(Protocol):
    """Programs and files of one machine. No argument is ever interpreted by a shell.

    Every method raises EngineError when a program cannot be started, and NetworkError when the
    machine is another one and cannot be reached.
    """

    def has(self, name: str) -> bool:
        """Whether a program of this name can be started."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, within this number of seconds."""

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        """Run a program in a folder, with its output on our stderr; return its status."""

    def stream(self, argv: Sequence[str]) -> contextlib.AbstractContextManager[Running]:
        """Start a program and read its stdout as it comes; the program ends with the block."""


class ProgramsHere:
    """The programs of this machine, as `Programs`.

    Args:
        environment: The caller's environment; see `child_environment`.
        alone: Whether those that are run to their end need no terminal; see `run`.
    """

    def __init__(self, environment: Mapping[str, str], *, alone: bool = False) -> None:
        self._environment = environment
        self._alone = alone

    def has(self, name: str) -> bool:
        """Whether a program of this name is on PATH."""
        return find_program(name, self._environment.get("PATH")) is not None

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return Path(path).is_file()

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, within this number of seconds."""
        return run(argv, self._environment, timeout=timeout, alone=self._alone)

    def run_visibly(self, argv: Sequence[str], folder: str | os.PathLike[str]) -> int:
        """Run a program in a folder, with its output on our stderr; return its status."""
        return run_visibly(argv, self._environment, folder)

    @contextlib.contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[Running]:
        """Start a program and read its stdout as it comes; the program ends with the block."""
        with stream(argv, self._environment) as running:
            yield running
