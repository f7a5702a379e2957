"""Count the bytes of one task, and say now and then how far it is."""

import threading
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from dockless.report.units import human_size, human_time


class Standing(Struct, frozen=True, kw_only=True):
    """How far a task is.

    Attributes:
        what: The task, in words.
        total: Its total bytes, or None when unknown.
        done: Bytes done so far.
        seconds: How long it has been running.
        ended: Whether it ended, well or not.
    """

    what: str
    total: int | None
    done: int = 0
    seconds: float = 0.0
    ended: bool = False


class Counter:
    """A `ports.Task` that any thread may advance, thousands of times per second.

    Showing costs far more than counting, so it is done once in an interval, and at the end.

    Args:
        task: The task at its start.
        clock: Returns seconds that only go up.
        interval: Seconds between two calls of `show`.
        show: Is told how far the task is; never by two threads at once.
    """

    def __init__(
        self,
        task: Standing,
        clock: Callable[[], float],
        interval: float,
        show: Callable[[Standing], None],
    ) -> None:
        self._task = task
        self._clock = clock
        self._interval = interval
        self._show = show
        self._lock = threading.Lock()
        self._started = clock()
        self._due = self._started + interval
        self._done = 0
        self._ended = False

    def advance(self, count: int) -> None:
        """Count this many more bytes as done; after the end it changes nothing."""
        with self._lock:
            self._done += count
            now = self._clock()
            if now >= self._due and not self._ended:
                self._due = now + self._interval
                self._tell(now)

    def complete(self) -> None:
        """Say that the work ended well: an engine may end before its last bytes are counted."""
        with self._lock:
            self._done = self._done if self._task.total is None else self._task.total
        self.finish()

    def finish(self) -> None:
        """Say that the work ended, well or not; a second time changes nothing."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._tell(self._clock())

    def _tell(self, now: float) -> None:
        seconds = now - self._started
        self._show(replace(self._task, done=self._done, seconds=seconds, ended=self._ended))


def first_line(task: Standing) -> str:
    """Return the line that says that a task starts."""
    return task.what if task.total is None else f"{task.what}: {human_size(task.total)}"


def line(task: Standing) -> str:
    """Return the line that says how far a task is, or how it ended.

    An end short of the total shows both sizes, since then the work was cut off. Where no bytes were
    counted, there are none to show, nor their speed.
    """
    if task.ended and task.total is None and not task.done:
        return f"{task.what}: {human_time(task.seconds)}"
    text = f"{task.what}: {human_size(task.done)}"
    if task.total is not None and not (task.ended and task.done >= task.total):
        text += f" of {human_size(task.total)}"
    if task.total and not task.ended:
        text += f" ({min(100, task.done * 100 // task.total)}%)"
    if task.ended:
        text += f" in {human_time(task.seconds)}"
    if task.seconds > 0:
        text += f", {human_size(task.done / task.seconds)}/s"
    return text
