"""What the cells of a run did, a line of JSON each: an interrupted run shows how far it came."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pytest

VARIABLE = "DOCKLESS_MATRIX_RECORDS"
"""Names the file; without it nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one cell, or one program, did.

    Attributes:
        kind: `push` from a file, `container` from a container tool, or `version` of a program.
        key: What tells it from the others of its kind.
        passed: Whether it did what it is expected to do.
        did: That, in a few words.
    """

    kind: Literal["push", "container", "version"]
    key: tuple[str, ...]
    passed: bool
    did: str


RECORD = pytest.StashKey[Record]()
"""Where a test leaves what it does, for the hook that keeps it."""


def keep(record: Record) -> None:
    """Add a record to the file of this run, if there is one."""
    if named := os.environ.get(VARIABLE):
        with Path(named).open("a") as file:
            file.write(json.dumps(asdict(record)) + "\n")


def read(path: Path) -> Iterator[Record]:
    """Return what a run kept."""
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        yield Record(**{**entry, "key": tuple(entry["key"])})
