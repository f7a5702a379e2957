"""How long each step of a push took."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeVar

Step = Literal[
    "start",
    "export",
    "read",
    "hash",
    "compress",
    "write",
    "source",
    "copy",
    "questions",
    "upload",
    "verify",
    "tags",
]
WAITS: frozenset[Step] = frozenset({"export", "read", "questions", "upload", "verify", "tags"})
"""The steps that mostly wait: for a disk, a daemon, an engine or the registry."""

Item = TypeVar("Item")


class Timings:
    """The seconds of each step, added up over all threads.

    Steps overlap, so that together they may be longer than the push: `source` is all that was
    done to have the layers, of which `export`, `read`, `hash`, `compress` and `write` are parts.

    Args:
        clock: Seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._seconds: dict[Step, float] = {}

    @property
    def seconds(self) -> Mapping[Step, float]:
        """The seconds of each step that was timed."""
        return dict(self._seconds)

    def add(self, step: Step, seconds: float) -> None:
        """Add to a step."""
        with self._turn:
            self._seconds[step] = self._seconds.get(step, 0.0) + seconds

    @contextlib.contextmanager
    def of(self, step: Step) -> Iterator[None]:
        """Add the time that the block takes."""
        began = self._clock()
        try:
            yield
        finally:
            self.add(step, self._clock() - began)

    def each(self, step: Step, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, and add the time that it takes to get them."""
        waiting = iter(items)
        while True:
            with self.of(step):
                try:
                    item = next(waiting)
                except StopIteration:
                    return
            yield item
