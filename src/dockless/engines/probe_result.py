"""What a push probe found (see `engines.push_probe`)."""

from msgspec import Struct

LONGEST_REASON = 300


class ProbeResult(Struct, frozen=True):
    """What a push probe found.

    Attributes:
        passed: Whether the program pushed and tagged exactly what it was given.
        reason: Why not: one line, the program's own words where it had any; empty when it passed.
        moment: When, in seconds since the epoch.
    """

    passed: bool
    reason: str
    moment: float


def one_line(text: str) -> str:
    """Return a program's words as one bounded line that is safe to show."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(shown.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"
