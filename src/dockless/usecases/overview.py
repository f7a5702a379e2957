"""Where the work on many images or hosts is shown, as Protocols."""

from collections.abc import Hashable
from types import TracebackType
from typing import Protocol, Self

from dockless.model.ended import ItemEnd
from dockless.ports import Progress, Steps, Task


class WorkRow(Steps, Protocol):
    """An image or host while it is worked on.

    As a context manager it is also that of all work that this thread begins meanwhile.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def close(self) -> None:
        """Show it no longer; a second time changes nothing."""


class Overview(Progress, Protocol):
    """How far the work on many images or hosts is, and what each worker does."""

    def expect(self, count: int, size: int = 0) -> None:
        """Set how many there are, and about how many bytes they have; 0 for unknown."""

    def reading(self, source: int, sources: int) -> None:
        """Tell which source is read, of how many, where their images are not counted yet."""

    def work(self, name: str, size: int = 0, label: str = "") -> WorkRow:
        """Begin the work on one.

        Args:
            name: Its name, as in `ItemEnd`.
            size: About how many bytes it has; 0 for unknown.
            label: Its name in a row, where that is another one.
        """

    def ended(self, key: Hashable, item: ItemEnd) -> None:
        """Count one that is done; the last call for a key replaces those before."""


class Unshown:
    """An `Overview` of nothing: what is worked on is shown by a `Progress` alone.

    Args:
        progress: Where tasks and notes are shown.
        name: What tasks and notes that are begun here are about; empty for anything.
    """

    def __init__(self, progress: Progress, name: str = "") -> None:
        self._progress = progress
        self._about = f"{name}: " if name else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        """Do nothing."""

    def start(self, what: str, total: int | None) -> Task:
        """Start to show a task of `total` bytes; None when unknown."""
        return self._progress.start(f"{self._about}{what}", total)

    def note(self, text: str) -> None:
        """Show one line."""
        self._progress.note(f"{self._about}{text}")

    def step(self, text: str) -> None:
        """Show one line."""
        self.note(text)

    def expect(self, count: int, size: int = 0) -> None:
        """Do nothing."""

    def reading(self, source: int, sources: int) -> None:
        """Do nothing."""

    def work(self, name: str, size: int = 0, label: str = "") -> "Unshown":
        """Return what shows the work on one, with its name in front."""
        del size, label
        return Unshown(self._progress, name)

    def ended(self, key: Hashable, item: ItemEnd) -> None:
        """Do nothing."""
