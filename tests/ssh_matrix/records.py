"""What the set-ups of a run did, a line of JSON each."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ssh_matrix.run import Outcome

VARIABLE = "DOCKLESS_SSH_RECORDS"
"""Names the file; without it nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What both did in a set-up.

    Attributes:
        name: The set-up.
        ssh: What ssh did, as a few words.
        dockless: What dockless did.
        ssh_words: What ssh said, where it was not let in.
        dockless_words: What dockless said.
        ssh_seconds: How long ssh took.
        dockless_seconds: How long dockless took.
        same: Whether they did the same.
    """

    name: str
    ssh: str
    dockless: str
    ssh_words: str
    dockless_words: str
    ssh_seconds: float
    dockless_seconds: float
    same: bool


def keep(name: str, ssh: Outcome, dockless: Outcome) -> None:
    """Add what both did to the file of this run, if there is one."""
    if named := os.environ.get(VARIABLE):
        record = Record(
            name=name,
            ssh=str(ssh),
            dockless=str(dockless),
            ssh_words=ssh.words,
            dockless_words=dockless.words,
            ssh_seconds=round(ssh.seconds, 2),
            dockless_seconds=round(dockless.seconds, 2),
            same=ssh.compared == dockless.compared,
        )
        with Path(named).open("a") as file:
            file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[Record]:
    """Return what a run kept."""
    for line in path.read_text().splitlines():
        yield Record(**json.loads(line))
