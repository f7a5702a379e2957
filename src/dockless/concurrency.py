"""Parallel requests, so that several round trips are waited for at once.

Every wait for another thread or process here ends at the latest with `--timeout`.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

from dockless.threads import NO_THREAD, DaemonThread, LoneStep, await_end, taken

Item = TypeVar("Item")
Returned = TypeVar("Returned")


_LOOK_SECONDS = 0.5


class _TimeLimit:
    """When the command of this process ends."""

    until: float | None = None


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_by(until: float | None) -> None:
    """Note when the command's time is over, on the clock of `time.monotonic`; None for never."""
    _TimeLimit.until = until


def seconds_left() -> float | None:
    """Return how long the command may take still, not below 0; None for no limit."""
    return None if _TimeLimit.until is None else max(0.0, _TimeLimit.until - time.monotonic())


def waited_for(look: Callable[[float], object]) -> bool:
    """Wait for something until the command's time is over; return whether it came.

    A signal ends that, too, in the main thread: it is seen between two looks.

    Args:
        look: Waits for it, at most this many seconds; returns something true once it came.
    """
    while not look(_LOOK_SECONDS if _TimeLimit.until is None else _span(_TimeLimit.until)):
        if _TimeLimit.until is not None and time.monotonic() >= _TimeLimit.until:
            return False
    return True


def _span(until: float) -> float:
    return max(0.0, min(_LOOK_SECONDS, until - time.monotonic()))


def alone(step: Callable[[], Returned]) -> LoneStep[Returned]:
    """Start a step in its own daemon thread; return the future that gets its result or error."""
    return LoneStep(step)


def map_concurrently(
    ask: Callable[[Item], Returned], items: Iterable[Item], at_once: int, *, finish: bool = False
) -> list[Returned]:
    """Return what is found for each item, in their order; raise what the first to fail raised.

    No further item is begun then. An interrupt does not wait for responses, since the threads are
    daemons.

    Args:
        ask: Called with each item, in threads of their own.
        items: What is asked about.
        at_once: How many threads at most.
        finish: Whether an error waits for what was begun, since that must not go on afterwards.

    Raises:
        MemoryError: A thread ended before it could tell what it found.
    """
    waiting: SimpleQueue[tuple[Item, Future[Returned]]] = SimpleQueue()
    answers: list[Future[Returned]] = []
    for item in items:
        answers.append(Future())
        waiting.put((item, answers[-1]))

    threads: list[DaemonThread] = []
    for _ in range(min(at_once, len(answers))):
        try:
            threads.append(DaemonThread(partial(_work_off, waiting, ask)))
        except NO_THREAD:  # fewer do the same
            break
    if not threads:
        _work_off(waiting, ask)
    try:
        return [taken(answer, threads) for answer in answers]
    except BaseException as error:
        _cancel(waiting)
        if finish and isinstance(error, Exception):
            await_end(threads)
        raise


def _work_off(
    waiting: "SimpleQueue[tuple[Item, Future[Returned]]]", ask: Callable[[Item], Returned]
) -> None:
    """Ask about items until none is left, or one fails."""
    with contextlib.suppress(Empty):
        while True:
            item, answer = waiting.get_nowait()
            try:
                found = ask(item)
            except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                _cancel(waiting)
                answer.set_exception(error)
            else:
                answer.set_result(found)


def _cancel(waiting: "SimpleQueue[tuple[Item, Future[Returned]]]") -> None:
    """Remove the items that were not started."""
    with contextlib.suppress(Empty):
        while True:
            waiting.get_nowait()[1].cancel()
