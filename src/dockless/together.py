"""Questions asked side by side, so that the way there and back is waited for once."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future
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


def side_by_side(ask: Callable[[Item], Found], items: Iterable[Item], at_once: int) -> list[Found]:
    """Return what is found for each item, in their order; raise what the first to fail raised.

    An interrupt does not wait for answers: who asks are daemons.
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
                    answer.set_exception(error)

    for _ in range(min(at_once, len(answers))):
        Thread(target=work, name="ask", daemon=True).start()
    return [answer.result() for answer in answers]
