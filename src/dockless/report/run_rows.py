"""An image or host while it is worked on, as a `usecases.overview.WorkRow`, and its tasks."""

from typing import TYPE_CHECKING, Self

from dockless.model.printable import one_line
from dockless.report.units import human_size

if TYPE_CHECKING:
    from dockless.report.run_overview import RunOverview


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
    """One row of a `RunOverview`.

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
