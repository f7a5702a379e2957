"""Show the work on many images or hosts on stderr: as lines, as rows, or not at all.

Each is a `usecases.overview.Overview`.
"""

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Self, TextIO

from dockless.model.ended import SENDING, ItemEnd, RunWords
from dockless.model.printable import one_line
from dockless.processes.terminal import write_line
from dockless.report.units import human_size
from dockless.report.whole import RunState, ended_text, summary_text, whole_text

_SILENT_SECONDS = 30.0
"""After so long without a line, one says how far the work is."""

_MOST_NAMES = 4


class RowTask:
    """A task of one row, as a `ports.Task`; any thread may advance it."""

    def __init__(self, run: "RunOverview", row: "RunRow", what: str, total: int | None) -> None:
        self._run = run
        self._row = row
        self.what = one_line(what)
        self.total = total
        self.done = 0

    def advance(self, count: int) -> None:
        """Count this many more bytes as done; after the end it changes nothing."""
        self._run.advance(self._row, self, count)

    def complete(self) -> None:
        """Mark all of it as done."""
        if self.total is not None:
            self.advance(self.total - self.done)
        self.finish()

    def finish(self) -> None:
        """Mark it as ended; a second time changes nothing."""
        self._run.finish(self._row, self)


class RunRow:
    """An image or host while it is worked on, as a `usecases.overview.WorkRow`.

    Attributes:
        name: Its name.
        label: Its name in the row; empty for work on none of them.
        size: About how many bytes it has; 0 for unknown.
        said: What it last told that it does.
        tasks: Its running tasks, in the order in which they began.
    """

    def __init__(self, run: "RunOverview", name: str, size: int, label: str) -> None:
        self._run = run
        self.name = name
        self.label = one_line(label)
        self.size = size
        self.said = ""
        self.tasks: list[RowTask] = []

    def __enter__(self) -> Self:
        self._run.bind(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._run.unbind(self)
        self.close()

    def start(self, what: str, total: int | None) -> RowTask:
        """Start to show a task of `total` bytes; None when unknown."""
        return self._run.begin(self, what, total)

    def note(self, text: str) -> None:
        """Show one line, which says what it is about."""
        self._run.note(f"{self.name}: {text}")

    def step(self, text: str) -> None:
        """Show in the row what is done now."""
        self.said = one_line(text)
        self._run.changed()

    def close(self) -> None:
        """Show it no longer."""
        self._run.remove(self)

    @property
    def text(self) -> str:
        """The row: its name, what is done, and how far that is."""
        doing = self.said
        for task in self.tasks[-1:]:  # other threads may end it meanwhile
            doing = task.what
            if task.done or task.total:
                doing += f" {human_size(task.done)}"
                doing += f" of {human_size(task.total)}" if task.total else ""
        return ": ".join(part for part in (self.label, doing) if part)

    @property
    def part(self) -> float | None:
        """How much of its task is done, from 0 to 1; None for unknown."""
        for task in self.tasks[-1:]:
            if task.total:
                return min(1.0, task.done / task.total)
        return None


class RunOverview:
    """What is known of the work on many images or hosts; shows nothing of it.

    Args:
        words: How the work is called.
        clock: Returns seconds that only go up.
    """

    def __init__(self, words: RunWords, clock: Callable[[], float]) -> None:
        self.words = words
        self._clock = clock
        self._lock = threading.RLock()
        self._began = clock()
        self._counted: float | None = None
        self._count: int | None = None
        self._size = 0
        self._sources: tuple[int, int] | None = None
        self._ended: dict[Hashable, ItemEnd] = {}
        self._rows: list[RunRow] = []
        self._bound: dict[int, RunRow] = {}
        self._moved: Counter[str] = Counter()
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, text: str) -> None:
        """Show one line."""

    def changed(self) -> None:
        """Show how far the work is now, if it is time for that; not called under the lock."""

    def show(self, item: ItemEnd) -> None:
        """Show that one is done."""

    def expect(self, count: int, size: int = 0) -> None:
        """Set how many there are, and about how many bytes they have; 0 for unknown."""
        with self._lock:
            self._count, self._size, self._sources = count, size, None
            self._counted = self._clock()

    def reading(self, source: int, sources: int) -> None:
        """Tell which source is read, of how many."""
        with self._lock:
            self._sources = (source, sources)

    def work(self, name: str, size: int = 0, label: str = "") -> RunRow:
        """Begin the work on one; see the port."""
        row = RunRow(self, name, size, label or name)
        with self._lock:
            self._rows.append(row)
            self._sizes[name] = size
        self.changed()
        return row

    def ended(self, key: Hashable, item: ItemEnd) -> None:
        """Count one that is done; the last call for a key replaces those before."""
        with self._lock:
            self._ended[key] = item
        self.show(item)

    def start(self, what: str, total: int | None) -> RowTask:
        """Start to show a task, in the row of this thread if it has one, else in its own."""
        with self._lock:
            row = self._bound.get(threading.get_ident())
            if row is None:
                row = RunRow(self, "", 0, "")
                self._rows.append(row)
        return self.begin(row, what, total)

    def begin(self, row: RunRow, what: str, total: int | None) -> RowTask:
        """Begin a task of a row."""
        task = RowTask(self, row, what, total)
        with self._lock:
            row.tasks.append(task)
        self.changed()
        return task

    def advance(self, row: RunRow, task: RowTask, count: int) -> None:
        """Count bytes of a task that has not ended."""
        with self._lock:
            if task not in row.tasks:
                return
            task.done += count
            if task.what in SENDING:
                self._moved[row.name] += count
        self.changed()

    def finish(self, row: RunRow, task: RowTask) -> None:
        """End a task; the row of work on none of the things ends with it."""
        with self._lock:
            if task in row.tasks:
                row.tasks.remove(task)
            if not row.label and not row.tasks:
                self.remove(row)

    def bind(self, row: RunRow) -> None:
        """Let what this thread begins belong to a row."""
        with self._lock:
            self._bound[threading.get_ident()] = row

    def unbind(self, row: RunRow) -> None:
        """End that."""
        with self._lock:
            if self._bound.get(threading.get_ident()) is row:
                del self._bound[threading.get_ident()]

    def remove(self, row: RunRow) -> None:
        """Show a row no longer."""
        with self._lock:
            if row in self._rows:
                self._rows.remove(row)

    def summary(self, *, failed: bool) -> str:
        """Return what all of it came to; empty where there is nothing to say.

        Args:
            failed: Whether the work was broken off.
        """
        whole = self.whole()
        if not (whole.ended or whole.count) or (failed and self.words.is_whole):
            return ""
        return summary_text(whole)

    def rows(self) -> tuple[RunRow, ...]:
        """Return what is worked on, in the order in which it began."""
        with self._lock:
            return tuple(self._rows)

    def whole(self) -> RunState:
        """Return how far the work is."""
        with self._lock:
            now, items = self._clock(), self._ended.values()
            done = {item.name for item in items}
            moved = self._moved.copy()
            for item in items:
                moved[item.name] = max(moved[item.name], _sent(item))
            sizes = (
                size if name in done else min(size, moved[name])
                for name, size in self._sizes.items()
            )
            return RunState(
                words=self.words,
                count=self._count,
                size=self._size,
                fates=Counter(item.fate for item in items),
                done=sum(sizes),
                sent=sum(moved.values()),
                seconds=now - self._began,
                working=0.0 if self._counted is None else now - self._counted,
                sources=self._sources,
            )


class LineOverview(RunOverview):
    """A line for each image or host that is done, for logs, and one for all of them at the end.

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
            self.note(now_text(self.whole(), [row.text for row in self._rows]))


def now_text(whole: RunState, rows: list[str]) -> str:
    """Return how far the work is, and the first of the things that are worked on."""
    shown = "; ".join(rows[:_MOST_NAMES])
    more = f" and {len(rows) - _MOST_NAMES} more" if len(rows) > _MOST_NAMES else ""
    started = whole.ended or whole.count
    return " - ".join(part for part in (whole_text(whole) if started else "", shown + more) if part)


def _sent(item: ItemEnd) -> int:
    return item.sent if item.fate == "arrived" else 0


def overview(  # noqa: PLR0913 - each is documented, and how it is shown goes by keyword
    stream: TextIO,
    clock: Callable[[], float],
    words: RunWords,
    *,
    quiet: bool,
    terminal: bool,
    color: bool,
) -> RunOverview:
    """Return the overview that fits, to be used in a `with` block, at whose end is the summary.

    Args:
        stream: Where it is shown: stderr.
        clock: Returns seconds that only go up, such as `time.monotonic`.
        words: How the work is called.
        quiet: Whether nothing is to be shown.
        terminal: Whether the stream is a terminal that can move its cursor.
        color: Whether rows may have colours.
    """
    if quiet:
        return RunOverview(words, clock)
    if terminal:
        from dockless.report.row_overview import RowOverview  # noqa: PLC0415 - at terminals only

        return RowOverview(words, clock, stream, color=color)
    return LineOverview(words, clock, stream)
