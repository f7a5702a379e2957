"""Questions asked side by side, so that the way there and back is waited for once."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def alone(step: Callable[[], Found]) -> Future[Found]:
    """Begin a step in a daemon thread of its own; return the future that gets its result or error.

    Whoever waits for it with a limit leaves it alone afterwards, and it keeps no process from
    ending.
    """
    future: Future[Found] = Future()

    def run() -> None:
        try:
            future.set_result(step())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
            future.set_exception(error)

    Thread(target=run, name="alone", daemon=True).start()
    return future


def side_by_side(
    ask: Callable[[Item], Found], items: Iterable[Item], at_once: int, *, finish: bool = False
) -> list[Found]:
    """Return what is found for each item, in their order; raise what the first to fail raised.

    No further item is begun then. An interrupt does not wait for answers: who asks are daemons.

    Args:
        ask: Called with each item, in threads of their own.
        items: What is asked about.
        at_once: How many threads at most.
        finish: Whether an error waits for what was begun, since that must not go on afterwards.
    """
    waiting: SimpleQueue[tuple[Item, Future[Found]]] = SimpleQueue()
    answers: list[Future[Found]] = []
    for item in items:
        answers.append(Future())
        waiting.put((item, answers[-1]))

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                item, answer = waiting.get_nowait()
                try:
                    answer.set_result(ask(item))
                except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                    _cancel(waiting)
                    answer.set_exception(error)

    for _ in range(min(at_once, len(answers))):
        Thread(target=work, name="ask", daemon=True).start()
    try:
        return [answer.result() for answer in answers]
    except BaseException as error:
        _cancel(waiting)
        if finish and isinstance(error, Exception):
            wait([answer for answer in answers if not answer.cancelled()])
        raise


def _cancel(waiting: "SimpleQueue[tuple[Item, Future[Found]]]") -> None:
    """Take away the items that nobody has begun."""
    with contextlib.suppress(Empty):
        while True:
            waiting.get_nowait()[1].cancel()
