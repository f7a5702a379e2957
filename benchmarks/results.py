"""What was measured, as a table for people and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEADINGS = ("case", "dockless", "peer", "ratio", "target", "met")
_BEGIN, _END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->"


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

    def to_json(self) -> dict[str, object]:
        """Return the row for JSON."""
        return {
            "case": self.case,
            "dockless": round(self.ours, 3),
            "unit": self.unit,
            "peer": self.peer or None,
            "peerValue": round(self.theirs, 3) if self.peer else None,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "limit": self.limit,
            "limitOf": "ratio" if self.relative else "value",
            "met": self.met,
        }

    def _number(self, value: float) -> str:
        return f"{value:.2f} s" if self.unit == "s" else f"{value:.0f} {self.unit}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table that reads well as it is, and is Markdown too."""
    cells = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in cells
    )


def save(
    path: Path, readme: Path, facts: Mapping[str, object], rows: Sequence[Row], heading: str
) -> None:
    """Write everything as JSON, and the table between the two comments of the README."""
    document = {**facts, "rows": [row.to_json() for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    before, rest = readme.read_text().split(_BEGIN)
    _, after = rest.split(_END)
    readme.write_text(f"{before}{_BEGIN}{heading}\n\n{table(rows)}\n{_END}{after}")
