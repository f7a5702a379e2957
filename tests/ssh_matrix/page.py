"""Writes docs/ssh.md from what a run of all set-ups kept.

`python -m ssh_matrix.page RECORDS` writes it, unless a set-up is missing.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ssh_matrix.records import Record, read
from ssh_matrix.setup import Group, Setup
from ssh_matrix.table import SETUPS, is_sampled

PAGE = Path(__file__).parents[2] / "docs" / "ssh.md"

_HEAD = """# SSH set-ups

Written by `make ssh-matrix`; do not edit it by hand. In {count} set-ups of a server and a client,
`ssh HOST` and `dockless hosts --check` were run, against sshd of OpenSSH. dockless did the same in
{same} of them{others}.

*in*: the host was entered, and ran a command. *refused*: it was not entered. *no shell*: it was
entered, and ran no command. *unreachable*: there was no SSH to speak. *asked for*: what was typed
at the terminal; *asked* alone: somebody was asked, and typed nothing. Where an agent counted
signatures, they were as many for both. Seconds are shown where more than {seconds} passed. `*`
marks the set-ups that `make test` runs; a number is a note below the table.
"""
_TITLES: Mapping[Group, str] = {
    "keys": "Keys, certificates and agents",
    "logins": "Passwords, and several methods",
    "host keys": "Host keys",
    "servers": "Servers that allow little, and what is no SSH server",
    "shells": "Login shells",
}
_SLOW_SECONDS = 30
_STEP_SECONDS = 30


def page(records: Iterable[Record]) -> str:
    """Return the page.

    Raises:
        LookupError: A set-up is missing.
    """
    found = {record.name: record for record in records}
    if missing := [setup.name for setup in SETUPS if setup.name not in found]:
        raise LookupError(f"the run has no {missing[0]!r}; run all of `make ssh-matrix`")
    same = sum(found[setup.name].same for setup in SETUPS)
    others = "" if same == len(SETUPS) else "; what it did elsewhere is in the notes"
    head = _HEAD.format(count=len(SETUPS), same=same, others=others, seconds=_SLOW_SECONDS)
    return head + "".join(_table(group, found) for group in _TITLES)


def _table(group: Group, found: Mapping[str, Record]) -> str:
    notes: list[str] = []
    lines = [
        "| set-up | ssh | dockless | what ssh says | what dockless says |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(setup, found[setup.name], notes) for setup in SETUPS if setup.group == group]
    told = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    noted = "\n" + "\n".join(told) + "\n" if told else ""
    return f"\n## {_TITLES[group]}\n\n" + "\n".join(lines) + "\n" + noted


def _row(setup: Setup, record: Record, notes: list[str]) -> str:
    note = ""
    if not record.same:
        why = setup.differs or setup.may_differ or "not as expected"
        if why not in notes:
            notes.append(why)
        note = f" [{notes.index(why) + 1}]"
    mark = " *" if is_sampled(setup) else ""
    cells = (
        f"{setup.name}{mark}",
        _slow(record.ssh, record.ssh_seconds),
        _slow(record.dockless, record.dockless_seconds) + note,
        record.ssh_words,
        record.dockless_words,
    )
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def _slow(outcome: str, seconds: float) -> str:
    """Return an outcome, with its seconds in large steps where it took long."""
    steps = int(seconds) // _STEP_SECONDS * _STEP_SECONDS
    return f"{outcome}, {steps} s" if seconds >= _SLOW_SECONDS else outcome


def main(arguments: Sequence[str]) -> None:
    """Write the page from the records of a run."""
    PAGE.write_text(page(read(Path(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
