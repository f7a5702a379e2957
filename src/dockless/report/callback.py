"""Progress as calls of a function, as a `ports.Progress`."""

import threading
import time
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from dockless.errors import UsageError
from dockless.ports import Progress
from dockless.report.counter import Counter, Standing
from dockless.report.progress import QuietProgress

_SECONDS = 0.1


class ProgressEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened to long work, or a remark.

    Attributes:
        kind: Work began, went on or ended (well or not); or a remark, which has no numbers.
        what: The work in words, or the remark.
        done: Bytes done so far.
        total: Bytes in all; None when nobody knows.
        seconds: How long the work has been going on.
    """

    kind: Literal["start", "advance", "end", "note"]
    what: str
    done: int = 0
    total: int | None = None
    seconds: float = 0.0


Shown = Progress | Callable[[ProgressEvent], object] | None
"""Where progress goes: to an object, to a function, or nowhere."""


class CallbackProgress:
    """Calls a function with what happens: at most ten times a second for each piece of work.

    Args:
        tell: The function; called from any thread, and never by two at once.
        clock: Returns seconds that only go up.
    """

    def __init__(self, tell: Callable[[ProgressEvent], object], clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.RLock()

    def start(self, what: str, total: int | None) -> Counter:
        """Begin a task of `total` bytes; None when nobody knows."""
        self._call(ProgressEvent(kind="start", what=what, total=total))
        return Counter(Standing(what=what, total=total), self._clock, _SECONDS, self._show)

    def note(self, text: str) -> None:
        """Tell a remark."""
        self._call(ProgressEvent(kind="note", what=text))

    def _show(self, task: Standing) -> None:
        self._call(
            ProgressEvent(
                kind="end" if task.ended else "advance",
                what=task.what,
                done=task.done,
                total=task.total,
                seconds=task.seconds,
            )
        )

    def _call(self, event: ProgressEvent) -> None:
        with self._lock:
            self._tell(event)


def shown_progress(shown: Shown) -> Progress:
    """Return where progress goes, as the port; raise UsageError where it cannot go there."""
    if shown is None:
        return QuietProgress()
    if callable(shown):
        return CallbackProgress(shown, time.monotonic)
    if not all(callable(getattr(shown, name, None)) for name in ("start", "note")):
        raise UsageError(
            f"progress is a {type(shown).__name__}, and must be a function or a Progress.",
            "Correct progress, or leave it out.",
        )
    return shown
