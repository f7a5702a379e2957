"""The programs of a host, run as its superuser with `sudo -n`."""

import contextlib
from collections.abc import Iterator, Sequence

from dockless.errors import EngineError
from dockless.model.printable import bounded
from dockless.processes.programs import Running
from dockless.processes.run import Finished
from dockless.sources.on_host import HostShell

_SUDO = ("sudo", "-n", "--")


class SudoShell:
    """A host's shell whose programs run as root; dockless's scripts and files are the account's.

    Args:
        shell: The account's shell.

    Attributes:
        host: The host's name, for errors.
    """

    def __init__(self, shell: HostShell) -> None:
        self.host = shell.host
        self.has = shell.has
        self.is_file = shell.is_file
        self.script = shell.script
        self._shell = shell

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, within this number of seconds."""
        return self._allowed(argv, self._shell.run((*_SUDO, *argv), timeout=timeout))

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        """Run a program in a folder, with its output on our stderr; return its status."""
        return self._shell.run_visibly((*_SUDO, *argv), folder)

    def work(self, argv: Sequence[str], *, stdout: str = "") -> Finished:
        """Run a program that may take long; its output goes to this file there, or is returned."""
        return self._allowed(argv, self._shell.work((*_SUDO, *argv), stdout=stdout))

    @contextlib.contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[Running]:
        """Start a program and read its stdout as it comes; the program ends with the block."""
        with self._shell.stream((*_SUDO, *argv)) as running:
            yield running

    def _allowed(self, argv: Sequence[str], done: Finished) -> Finished:
        *_, said = ("", *done.stderr.splitlines())
        if done.code and said.startswith("sudo: "):
            why = bounded(said.removeprefix("sudo: ").rstrip("."))
            raise EngineError(
                f"sudo does not run {argv[0]} on {self.host}: {why}.",
                "Allow it there without a password (NOPASSWD in sudoers(5)), or leave --sudo out.",
            )
        return done
