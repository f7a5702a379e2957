"""The work on many images or hosts at a terminal: a row for the whole, and one for each worker."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from dockless.model.ended import RunWords
from dockless.model.printable import one_line
from dockless.processes.terminal import write_line
from dockless.report.bars import console_of
from dockless.report.run_overview import RunOverview
from dockless.report.whole import whole_text

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_BAR_WIDTH = 20


class RowOverview(RunOverview):
    """Rows that are redrawn where they are, and replaced by one line at the end.

    Nothing is drawn while nothing is worked on, so that a question can be asked then.

    Args:
        words: How the work is called.
        clock: Returns seconds that only go up.
        stream: A terminal that can move its cursor.
        color: Whether the rows may have colours.
    """

    def __init__(
        self, words: RunWords, clock: Callable[[], float], stream: TextIO, *, color: bool
    ) -> None:
        super().__init__(words, clock)
        self._stream = stream
        self._color = color
        self._drawing = threading.Lock()
        self._live: Live | None = None
        self._over = False

    def __exit__(self, *exception: object) -> None:
        with self._drawing:
            live, self._live, self._over = self._live, None, True
        if live:
            live.stop()
        if text := self.summary(failed=any(exception)):
            write_line(self._stream, text)

    def note(self, text: str) -> None:
        """Show one line, above the rows."""
        with self._drawing:
            if self._live is None:
                write_line(self._stream, one_line(text))
            else:
                self._live.console.print(one_line(text), soft_wrap=True)

    def changed(self) -> None:
        """Begin to draw, from now on by a thread."""
        # no lock of this object is held while rich draws, since it asks for the rows then
        if self._live is None:
            with self._drawing:
                self._begin()

    def _begin(self) -> None:
        if self._live is None and not self._over:
            self._live = _live(self._stream, self._table, color=self._color)
            self._live.start()

    def _table(self) -> "Table":
        """Return what is drawn now."""
        from rich.progress_bar import ProgressBar  # noqa: PLC0415 - loaded when rows are shown
        from rich.table import Table  # noqa: PLC0415 - the same
        from rich.text import Text  # noqa: PLC0415 - the same

        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column(width=_BAR_WIDTH)
        rows, whole = self.rows(), self.whole()
        if rows and (whole.ended or whole.count):
            table.add_row(Text(whole_text(whole)), ProgressBar(total=1.0, completed=whole.part))
        for row in rows:
            bar = None if row.part is None else ProgressBar(total=1.0, completed=row.part)
            table.add_row(Text(row.text), bar)
        return table


def _live(stream: TextIO, drawn: "Callable[[], Table]", *, color: bool) -> "Live":
    from rich.live import Live  # noqa: PLC0415 - loaded only when rows are shown

    return Live(
        console=console_of(stream, color=color),
        get_renderable=drawn,
        refresh_per_second=10,
        transient=True,
        # stdout carries the result, so it must not be drawn into the rows on stderr
        redirect_stdout=False,
        redirect_stderr=False,
    )
