"""Programs that run beside a test, and end with it."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 120.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.02
_TAIL_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Daemon:
    """A program that runs until the block that started it ends.

    Attributes:
        child: The process.
        log: The file that takes its stdout and stderr.
    """

    child: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match of the pattern in the log.

        Raises:
            RuntimeError: The program ended, or did not say so in time; the log's end is in it.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            ended = self.child.poll() is not None
            if found := re.search(pattern, self.log.read_text(errors="replace")):
                return found
            if ended:
                break
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"{self.child.args!r} did not start:\n{tail(self.log)}")


@contextlib.contextmanager
def running(
    argv: Sequence[str | os.PathLike[str]],
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Daemon]:
    """Run a program for as long as the block lasts; it is ended by its own process id."""
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as child,
    ):
        try:
            yield Daemon(child, log)
        finally:
            child.terminate()
            try:
                child.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep the machine's processors busy for as long as the block lasts, at most two minutes."""
    argv = ("timeout", "120", "sh", "-c", "while :; do :; done")
    with contextlib.ExitStack() as stack:
        for _ in range(loops):
            loop = stack.enter_context(subprocess.Popen(argv))
            stack.callback(loop.terminate)
        yield


def output(
    argv: Sequence[str | os.PathLike[str]],
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> str:
    """Run a program to its end and return its stdout, without trailing blanks.

    Raises:
        RuntimeError: It failed; what it wrote to stderr is in it.
    """
    done = subprocess.run(
        argv, input=stdin, capture_output=True, env=environment, timeout=timeout, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{argv!r} ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode().rstrip()


def tail(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-_TAIL_CHARACTERS:]
