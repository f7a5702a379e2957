"""What was measured, as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.results import OURS, Case

_COLOURS = {OURS: "#1f6feb", "the limit": "#2da44e"}
_OTHERS = "#8c959f"
_WIDTH, _ROW = 9.0, 0.26


def draw(path: Path, cases: Sequence[Case]) -> None:
    """Draw the medians of every case as bars, each case on a scale of its own; write an SVG."""
    mpl.rcParams["svg.hashsalt"] = OURS
    bars = [_bars(case) for case in cases]
    heights = [len(each) + 1.4 for each in bars]
    figure = Figure(figsize=(_WIDTH, _ROW * sum(heights)), layout="constrained")
    panes = figure.subplots(len(cases), 1, squeeze=False, height_ratios=heights)[:, 0]
    for pane, case, its in zip(panes, cases, bars, strict=True):
        names, numbers = list(its), list(its.values())
        drawn = pane.barh(
            names, numbers, color=[_COLOURS.get(name, _OTHERS) for name in names], height=0.72
        )
        pane.bar_label(drawn, [f"{number:.2f} s" for number in numbers], padding=3, fontsize=8)
        pane.set_title(case.title, loc="left", fontsize=9, fontweight="bold")
        pane.invert_yaxis()
        pane.set_xlim(0, max(numbers) * 1.15)
        pane.xaxis.set_visible(False)
        pane.tick_params(axis="y", labelsize=8, length=0)
        pane.spines[:].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def _bars(case: Case) -> dict[str, float]:
    bars = {OURS: case.median(OURS)} | {name: case.median(name) for name in case.peers}
    if case.limit:
        bars["the limit"] = case.limit
    return bars
