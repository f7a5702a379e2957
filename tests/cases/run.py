"""Run the cases, and print what was expected and what came: `make cases`.

A difference is an exit status of 1, but for a case that belongs to an issue that is still open:
that is only shown, and said loudly when it suddenly is as it should be.
"""

import argparse
import importlib
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed.registry import docker_registry
from cases.place import Place

_EXPECTED = Path(__file__).with_name("expected.toml")
_LONGEST = 46


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at.

    Attributes:
        case: The case.
        what: What was looked at.
        expected: What is right, as a regular expression.
        came: What came.
        issue: The issue that the case waits for; 0 for none.
    """

    case: str
    what: str
    expected: str
    came: str
    issue: int = 0

    @property
    def right(self) -> bool:
        """Whether what came is what was expected."""
        return re.fullmatch(self.expected, self.came) is not None

    @property
    def verdict(self) -> str:
        """What is made of it."""
        if self.issue:
            return f"open ({self.issue})" if not self.right else f"PASSES NOW ({self.issue})"
        return "ok" if self.right else "DIFFERENT"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="make cases", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CASE", help="a part of its name; else all")
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    asked = parser.parse_args(arguments)
    rows: list[Row] = []
    for name, case in _cases(asked.names, quick=asked.quick):
        begun = time.monotonic()
        found = list(_run(name, case))
        rows += found
        for row in found:
            _print(row)
        sys.stdout.write(f"{'':36}{time.monotonic() - begun:.0f} s\n")
    wrong = [row for row in rows if not row.issue and not row.right]
    later = {row.case: row.issue for row in rows if row.issue}
    left = {row.case for row in rows if not row.right}
    mended = [f"{case} ({issue})" for case, issue in later.items() if case not in left]
    waiting = sum(1 for row in rows if row.issue and not row.right)
    sys.stdout.write(f"{len(rows)} looked at, {len(wrong)} different, {waiting} open.\n")
    if mended:
        sys.stdout.write(f"As they should be, though their issue is open: {', '.join(mended)}\n")
    return 1 if wrong else 0


def _cases(names: Sequence[str], *, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for group, cases in tomllib.loads(_EXPECTED.read_text()).items():
        for name, case in cases.items():
            whole = f"{group}/{name}"
            if names and not any(each in whole for each in names):
                continue
            if quick and not case.get("quick", True):
                continue
            yield whole, case


def _run(name: str, case: dict[str, Any]) -> Iterator[Row]:
    group = name.partition("/")[0]
    issue = int(case.get("open", 0))
    if case.get("root") and os.geteuid():
        yield Row(name, "(needs root)", "", "")
        return
    run = getattr(importlib.import_module(f"cases.{group}"), case["run"])
    with tempfile.TemporaryDirectory(prefix="cases-") as folder:
        home = Path(folder, "registry")
        home.mkdir()
        with docker_registry(home) as registry:
            try:
                came = run(Place(Path(folder), registry))
            except (OSError, subprocess.SubprocessError, LookupError) as error:
                came = {"(the case itself)": f"{type(error).__name__}: {error}"}
    for what, expected in case["expect"].items():
        yield Row(name, what, expected, came.pop(what, "(not looked at)"), issue)
    for what, value in came.items():
        yield Row(name, what, "(nothing)", value, issue)


def _print(row: Row) -> None:
    expected, came = row.expected[:_LONGEST], row.came[:_LONGEST]
    line = f"{row.case:36}{row.what:32}{expected:{_LONGEST}}  {came:{_LONGEST}}  {row.verdict}"
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
