"""Parallel requests, so that several round trips are waited for at once.

Every wait for another thread or process here ends at the latest with `--timeout`.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

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


def alone(step: Callable[[], Returned]) -> Future[Returned]:
    """Start a step in its own daemon thread; return the future that gets its result or error.

    A caller that waits with a limit abandons it afterwards; it does not keep the process
    alive.
    """
    future: Future[Returned] = Future()

    def run() -> None:
        try:
            future.set_result(step())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            future.set_exception(error)

    Thread(target=run, name="alone", daemon=True).start()
    return future


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
    """
    waiting: SimpleQueue[tuple[Item, Future[Returned]]] = SimpleQueue()
    answers: list[Future[Returned]] = []
    for item in items:
        answers.append(Future())
        waiting.put((item, answers[-1]))

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                item, answer = waiting.get_nowait()
                try:
                    answer.set_result(ask(item))
                except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
                    _cancel(waiting)
                    answer.set_exception(error)

    for number in range(min(at_once, len(answers))):
        try:
            Thread(target=work, name="ask", daemon=True).start()
        except RuntimeError:  # the system allows no further one: fewer do the same
            if not number:
                work()
            break
    try:
        return [answer.result() for answer in answers]
    except BaseException as error:
        _cancel(waiting)
        if finish and isinstance(error, Exception):
            wait([answer for answer in answers if not answer.cancelled()])
        raise


def _cancel(waiting: "SimpleQueue[tuple[Item, Future[Returned]]]") -> None:
    """Remove the items that were not started."""
    with contextlib.suppress(Empty):
        while True:
            waiting.get_nowait()[1].cancel()
