"""Whole processes, timed.

Linux counts the memory of the parent into a child's peak until the child is another program, so
whoever calls this has to stay small.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SECONDS = "300"
_RSS_UNIT = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one program.

    Attributes:
        seconds: From its start to its end.
        peak: Bytes of memory of the largest process: the program, or one that it started.
    """

    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that does the job.

    Attributes:
        name: Its name.
        argv: How it is called.
        environment: All that it sees.
        before: Makes the state that every run starts from.
    """

    name: str
    argv: Sequence[str | Path]
    environment: Mapping[str, str]
    before: Callable[[], object]


def run(contender: Contender) -> Run:
    """Run a program once, on a disk that has written everything it was given before.

    Raises:
        RuntimeError: It failed, or took too long.
    """
    contender.before()
    os.sync()
    argv = ("timeout", _SECONDS, *contender.argv)
    started = time.perf_counter()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv,
            env=contender.environment,
            cwd=contender.environment["HOME"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as child,
    ):
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(f"{contender.name} failed: {said.read().decode()}")
    return Run(seconds, usage.ru_maxrss * _RSS_UNIT)


def alternate(contenders: Sequence[Contender], rounds: int) -> dict[str, list[Run]]:
    """Run each program once a round, each round beginning with another one."""
    runs: dict[str, list[Run]] = {each.name: [] for each in contenders}
    for number in range(rounds):
        first = number % len(contenders)
        for each in (*contenders[first:], *contenders[:first]):
            runs[each.name].append(run(each))
    return runs


def median(runs: Sequence[Run]) -> float:
    """Return the median of the seconds."""
    return statistics.median(each.seconds for each in runs)
