"""What is known of the work on many images or hosts, as a `usecases.overview.Overview`."""

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Self

from dockless.model.ended import SENDING, ItemEnd, RunWords
from dockless.report.run_rows import RowTask, RunRow
from dockless.report.whole import RunState, summary_text


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


def _sent(item: ItemEnd) -> int:
    return item.sent if item.fate == "arrived" else 0
