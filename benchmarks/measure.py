"""Whole processes, timed by hyperfine; their memory, by the kernel.

Linux counts the memory of the parent into a child's peak until the child is another program, so
whoever calls this has to stay small.
"""

import json
import os
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SECONDS = "600"
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
    started = time.perf_counter()
    argv = ("timeout", _SECONDS, *contender.argv)
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
        taken = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(f"{contender.name} failed: {said.read().decode()[-2000:]}")
    return Run(taken, usage.ru_maxrss * _RSS_UNIT)


def seconds(contender: Contender) -> float:
    """Let hyperfine run a program once, on a disk that has written everything.

    Raises:
        RuntimeError: It failed, or took too long.
    """
    contender.before()
    os.sync()
    with tempfile.TemporaryDirectory() as folder:
        report, said = Path(folder, "report.json"), Path(folder, "said")
        argv = ("hyperfine", "--runs=1", "--shell=none", "--style=none", f"--output={said}",
                f"--export-json={report}", shlex.join(map(str, contender.argv)))  # fmt: skip
        done = subprocess.run(
            ("timeout", _SECONDS, *argv),
            env=contender.environment,
            cwd=contender.environment["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = said.read_text()[-2000:] if said.exists() else ""
            raise RuntimeError(f"{contender.name} failed: {done.stderr}{words}")
        (result,) = json.loads(report.read_text())["results"]
    return float(result["times"][0])


def alternate(
    contenders: Sequence[Contender], rounds: int, after: Callable[[str], object] = lambda _: None
) -> dict[str, list[float]]:
    """Return the seconds of each program, run once a round, each round beginning with another.

    Args:
        contenders: The programs.
        rounds: How often each is run.
        after: Looks at what the named one has done.
    """
    runs: dict[str, list[float]] = {each.name: [] for each in contenders}
    for number in range(rounds):
        first = number % len(contenders)
        for each in (*contenders[first:], *contenders[:first]):
            runs[each.name].append(seconds(each))
            after(each.name)
    return runs


def median(runs: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(runs)
