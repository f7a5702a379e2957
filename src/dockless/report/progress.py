"""Show long work on stderr: as bars, as lines, or not at all. Each is a `ports.Progress`."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TextIO

from dockless.model.printable import one_line
from dockless.processes.terminal import write_line
from dockless.report.counter import Counter, Standing, first_line, line

if TYPE_CHECKING:
    from dockless.model.ended import RunWords
    from dockless.report.bars import BarProgress
    from dockless.report.run_overview import RunOverview

_LINE_SECONDS = 5.0


class LineProgress:
    """Progress as lines, for logs: when a task starts, every five seconds, and when it ends.

    Args:
        stream: Where to.
        clock: Returns seconds that only go up.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, what: str, total: int | None) -> Counter:
        """Start to show a task of `total` bytes; None when unknown."""
        task = Standing(what=what, total=total)
        self.note(first_line(task))
        return Counter(task, self._clock, _LINE_SECONDS, lambda now: self.note(line(now)))

    def note(self, text: str) -> None:
        """Show one line."""
        with self._lock:
            write_line(self._stream, one_line(text))


class QuietProgress:
    """Progress that is not shown, nor are notes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, what: str, total: int | None) -> "QuietTask":  # noqa: ARG002 - the port's names
        """Return a task that counts nothing."""
        return QuietTask()

    def note(self, text: str) -> None:
        """Show nothing."""


class QuietTask:
    """A task that is not shown."""

    def advance(self, count: int) -> None:
        """Count nothing."""

    def complete(self) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


def progress(
    stream: TextIO, clock: Callable[[], float], *, quiet: bool, terminal: bool, color: bool
) -> "BarProgress | LineProgress | QuietProgress":
    """Return the progress that fits, to be used in a `with` block, so that bars always go away.

    Args:
        stream: Where it is shown: stderr.
        clock: Returns seconds that only go up, such as `time.monotonic`.
        quiet: Whether nothing is to be shown.
        terminal: Whether the stream is a terminal that can move its cursor, so not `TERM=dumb`.
        color: Whether bars may have colours, so not with `NO_COLOR`.
    """
    if quiet:
        return QuietProgress()
    if terminal:
        from dockless.report.bars import BarProgress  # noqa: PLC0415 - at terminals only

        return BarProgress(stream, clock, color=color)
    return LineProgress(stream, clock)


def shown_work(
    stream: TextIO, many: "RunWords | None", *, quiet: bool, terminal: bool, color: bool
) -> "tuple[BarProgress | LineProgress | QuietProgress | RunOverview, RunOverview | None]":
    """Return where the work of a command is shown, and the same again if it is on many things.

    Args:
        stream: Where it is shown: stderr.
        many: How the work is called if it is on many images or hosts; None for one.
        quiet: Whether nothing is to be shown.
        terminal: Whether the stream is a terminal that can move its cursor, so not `TERM=dumb`.
        color: Whether it may have colours, so not with `NO_COLOR`.
    """
    clock = time.monotonic
    if many is None:
        return progress(stream, clock, quiet=quiet, terminal=terminal, color=color), None
    from dockless.report.line_overview import LineOverview  # noqa: PLC0415 - not for one image
    from dockless.report.run_overview import RunOverview  # noqa: PLC0415 - the same

    if quiet:
        shown = RunOverview(many, clock)
    elif terminal:
        from dockless.report.row_overview import RowOverview  # noqa: PLC0415 - at terminals only

        shown = RowOverview(many, clock, stream, color=color)
    else:
        shown = LineOverview(many, clock, stream)
    return shown, shown
