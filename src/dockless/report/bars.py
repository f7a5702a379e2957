"""Progress as bars at a terminal."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TextIO, cast

from dockless.model.printable import one_line
from dockless.processes.terminal import put, write_line
from dockless.report.counter import Counter, Standing, line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_BAR_SECONDS = 0.1


class BarProgress:
    """One bar for each running task; a task that ended leaves one line above the bars.

    Nothing of rich is loaded before the first task, since a push that finds nothing to do has
    none and should not wait for it.

    Args:
        stream: A terminal that can move its cursor.
        clock: Returns seconds that only go up.
        color: Whether the bars may have colours.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float], *, color: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._color = color
        self._lock = threading.Lock()
        self._bars: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def start(self, what: str, total: int | None) -> Counter:
        """Start to show a task of `total` bytes; None when unknown."""
        with self._lock:
            if self._bars is None:
                self._bars = _bars(self._stream, self._clock, color=self._color)
                self._bars.start()
            bars = self._bars
        bar = bars.add_task(one_line(what), total=total)

        def show(task: Standing) -> None:
            if task.ended:
                bars.remove_task(bar)
                bars.refresh()  # else the line would be drawn above a bar of the past
                self.note(line(task))
            else:
                bars.update(bar, completed=task.done)

        return Counter(Standing(what=what, total=total), self._clock, _BAR_SECONDS, show)

    def note(self, text: str) -> None:
        """Show one line, above the bars."""
        with self._lock:
            if self._bars is None:
                write_line(self._stream, one_line(text))
            else:
                self._bars.console.print(one_line(text), soft_wrap=True)


class _Talk:
    """A stream for rich, whose thread keeps drawing when the terminal is closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        put(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def console_of(stream: TextIO, *, color: bool) -> "Console":
    """Return what rich draws to a terminal with."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when something is drawn

    return Console(
        file=cast("TextIO", _Talk(stream)),  # rich asks for no more of it
        force_terminal=True,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _bars(stream: TextIO, clock: Callable[[], float], *, color: bool) -> "Progress":
    from rich.progress import (  # noqa: PLC0415 - loaded only when bars are shown
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.table import Column  # noqa: PLC0415 - the same

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        console=console_of(stream, color=color),
        get_time=clock,
        transient=True,
        expand=True,
        # stdout carries the result, so it must not be drawn into the bars on stderr
        redirect_stdout=False,
        redirect_stderr=False,
    )
