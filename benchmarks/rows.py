"""Rows of one number, a peer and a target, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results import aligned

_HEADINGS = ("case", "dockless", "peer", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One case.

    Attributes:
        case: What was done.
        ours: dockless's number.
        unit: Its unit.
        limit: What it must not exceed: the number, or the ratio if `relative`.
        peer: What it is compared with; empty for nothing.
        theirs: The peer's number.
        relative: Whether the limit is one for the ratio.
    """

    case: str
    ours: float
    unit: str
    limit: float
    peer: str = ""
    theirs: float = 0
    relative: bool = False

    @property
    def ratio(self) -> float | None:
        """Our number divided by the peer's, if there is one."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        measured = self.ratio if self.relative else self.ours
        return measured is not None and measured <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Return the row as text, in the order of the headings."""
        peer = f"{self.peer}: {self._number(self.theirs)}" if self.peer else ""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        target = f"ratio ≤ {self.limit}" if self.relative else f"≤ {self.limit} {self.unit}"
        met = "yes" if self.met else "NO"
        return self.case, self._number(self.ours), peer, ratio, target, met

    def _number(self, value: float) -> str:
        return f"{value:.2f} s" if self.unit == "s" else f"{value:.0f} {self.unit}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table that reads well as it is, and is Markdown too."""
    return aligned([_HEADINGS, *(row.cells() for row in rows)])
