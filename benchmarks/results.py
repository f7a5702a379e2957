"""What was measured: as tables, as JSON."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->"
_MB = 1_000_000
OURS = "dockless"


@dataclass(frozen=True, slots=True)
class Target:
    """What dockless is to keep to.

    Attributes:
        what: What is measured: `of skopeo`, say.
        measured: The number.
        most: What it may be at most.
        unit: Its unit; empty for a ratio.
    """

    what: str
    measured: float
    most: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.measured <= self.most

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        said = f"{_short(self.measured)}{unit} {self.what} (≤ {self.most:g}{unit})"
        return said if self.met else f"**{said}: missed**"


@dataclass(slots=True)
class Case:
    """One case.

    Attributes:
        title: What was done.
        seconds: Every run of each program.
        peaks: Bytes of memory of the largest process of each.
        sent: Bytes of the image as each pushed it.
        limit: The seconds that the hardware needs; None where that was not measured.
        targets: What dockless is to keep to.
    """

    title: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    limit: float | None = None
    targets: list[Target] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Return the median of a program's seconds."""
        return statistics.median(self.seconds[name])

    @property
    def of_the_limit(self) -> float | None:
        """Our median as a multiple of the limit; None where that was not measured."""
        return None if self.limit is None else self.median(OURS) / self.limit

    @property
    def peers(self) -> list[str]:
        """The other programs."""
        return [name for name in self.seconds if name != OURS]

    def shown(self) -> str:
        """Return every run, a program a line."""
        return "\n".join(
            f"   {name:<14} {'  '.join(f'{each:.2f}' for each in its)} s"
            for name, its in self.seconds.items()
        )

    def cells(self) -> tuple[str, ...]:
        """Return the case as a row of the table."""
        peers = ", ".join(f"{name} {self._spread(name)}" for name in self.peers)
        limit = "" if self.limit is None else f"{self.limit:.2f} s ({self.of_the_limit:.2f})"
        return self.title, self._spread(OURS), peers, limit, ", ".join(map(str, self.targets))

    def to_json(self) -> dict[str, object]:
        """Return the case for JSON."""
        return {
            "case": self.title,
            "programs": {
                name: {
                    "median": round(self.median(name), 3),
                    "seconds": [round(each, 3) for each in its],
                    "peakMB": round(self.peaks.get(name, 0) / _MB) or None,
                    "sentBytes": self.sent.get(name),
                }
                for name, its in self.seconds.items()
            },
            "limitSeconds": self.limit and round(self.limit, 3),
            "ofTheLimit": self.of_the_limit and round(self.of_the_limit, 2),
            "targets": [
                {
                    "what": each.what,
                    "measured": round(each.measured, 3),
                    "atMost": each.most,
                    "unit": each.unit or "ratio",
                    "met": each.met,
                }
                for each in self.targets
            ],
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> "Case":
        """Return a case that was saved."""
        programs = document["programs"]
        return cls(
            document["case"],
            {name: each["seconds"] for name, each in programs.items()},
            {name: (each["peakMB"] or 0) * _MB for name, each in programs.items()},
            {name: each["sentBytes"] for name, each in programs.items()},
            document["limitSeconds"],
            [
                Target(
                    each["what"],
                    each["measured"],
                    each["atMost"],
                    "" if each["unit"] == "ratio" else each["unit"],
                )
                for each in document["targets"]
            ],
        )

    def _spread(self, name: str) -> str:
        its = self.seconds[name]
        half = (max(its) - min(its)) / 2
        return f"{statistics.median(its):.2f} s ± {half:.2f}"


_HEADINGS = ("case", OURS, "others", "the limit (times)", OURS + " takes (at most)")


def markdown(cases: Sequence[Case]) -> str:
    """Return the cases as a table that reads well as it is, and is Markdown too."""
    return aligned([_HEADINGS, *(case.cells() for case in cases)])


def aligned(cells: Sequence[tuple[str, ...]]) -> str:
    """Return rows, the first of them the headings, as a table."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in (cells[0], rule, *cells[1:])
    )


def with_older(folder: Path, facts: Mapping[str, object], cases: Sequence[Case]) -> list[Case]:
    """Return these cases in their places among those saved before, if by the same machine."""
    path = folder / "bench.json"
    saved = json.loads(path.read_text()) if path.exists() else {"cases": []}
    new = {case.title: case for case in cases}
    if _identity(saved) == _identity(facts):
        old = {each["case"]: Case.of_json(each) for each in saved["cases"]}
        new = old | new
    return list(new.values())


def _identity(facts: Mapping[str, Any]) -> list[object]:
    """Return what must be equal for two measurements to stand in one table."""
    machine = {name: fact for name, fact in facts.get("machine", {}).items() if name != "load"}
    return [machine, facts.get("versions"), facts.get("rounds")]


def save(folder: Path, facts: Mapping[str, object], cases: Sequence[Case], heading: str) -> None:
    """Write everything as JSON, and the table as a page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {**facts, "cases": [case.to_json() for case in cases]}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n")
    (folder / "README.md").write_text(
        f"# What `make bench` measured\n\n{heading}\n\n"
        "Medians of whole processes, which alternate, and half of the spread. Every push was\n"
        "pulled back and compared, or has the digest of one that was. In brackets: dockless's\n"
        "time divided by the limit; where next to nothing is sent, there is no limit.\n"
        "[bench.json](bench.json) has every run, the memory and the bytes sent.\n\n"
        "![The same as a picture](bench.svg)\n\n"
        f"{markdown(cases)}\n"
    )


def tell_readme(readme: Path, cases: Sequence[Case], heading: str) -> None:
    """Write the cases between the two comments of the README."""
    before, rest = readme.read_text().split(_BEGIN)
    _, after = rest.split(_END)
    readme.write_text(f"{before}{_BEGIN}{heading}\n\n{markdown(cases)}\n{_END}{after}")


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2f}"  # noqa: PLR2004 - ten: two digits
