"""The work on many images or hosts as lines, for logs."""

from collections.abc import Callable
from typing import TextIO

from dockless.model.ended import ItemEnd, RunWords
from dockless.model.printable import one_line
from dockless.processes.terminal import write_line
from dockless.report.run_overview import RunOverview
from dockless.report.whole import RunState, ended_text, whole_text

_SILENT_SECONDS = 30.0
"""After so long without a line, one says how far the work is."""

_MOST_NAMES = 4


class LineOverview(RunOverview):
    """A line for each image or host that is done, and one for all of them at the end.

    Args:
        words: How the work is called.
        clock: Returns seconds that only go up.
        stream: Where to.
    """

    def __init__(self, words: RunWords, clock: Callable[[], float], stream: TextIO) -> None:
        super().__init__(words, clock)
        self._stream = stream
        self._written = clock()

    def __exit__(self, *exception: object) -> None:
        if text := self.summary(failed=any(exception)):
            self.note(text)

    def note(self, text: str) -> None:
        """Show one line."""
        with self._lock:
            self._written = self._clock()
            write_line(self._stream, one_line(text))

    def show(self, item: ItemEnd) -> None:
        """Show that one is done."""
        if item.has_line:
            self.note(ended_text(item, self.words))

    def changed(self) -> None:
        """Show how far the work is if nothing has been shown for half a minute."""
        with self._lock:
            if self._clock() - self._written < _SILENT_SECONDS:
                return
            self.note(_now_text(self.whole(), [row.text for row in self._rows]))


def _now_text(whole: RunState, rows: list[str]) -> str:
    """Return how far the work is, and the first of the things that are worked on."""
    shown = "; ".join(rows[:_MOST_NAMES])
    more = f" and {len(rows) - _MOST_NAMES} more" if len(rows) > _MOST_NAMES else ""
    started = whole.ended or whole.count
    return " - ".join(part for part in (whole_text(whole) if started else "", shown + more) if part)
