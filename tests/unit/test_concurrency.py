import _thread
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dockless.concurrency import alone, cores, map_concurrently


def test_answers_come_in_the_order_of_the_questions_whoever_is_first() -> None:
    second = threading.Event()

    def ask(number: int) -> int:
        if number == 1:
            assert second.wait(10)
        if number == 2:
            second.set()
        return number * number

    assert map_concurrently(ask, [1, 2, 3], 2) == [1, 4, 9]
    assert map_concurrently(ask, [], 2) == []


def test_no_more_are_asked_at_once_than_may_be() -> None:
    turn, asking, most = threading.Lock(), [], [0]

    def ask(number: int) -> None:
        with turn:
            asking.append(number)
            most[0] = max(most[0], len(asking))
        threading.Event().wait(0.005)
        with turn:
            asking.remove(number)

    map_concurrently(ask, range(20), 3)
    assert most[0] <= 3


def test_the_first_that_fails_says_why() -> None:
    def ask(number: int) -> int:
        if number > 1:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match=r"^2$"):
        map_concurrently(ask, [1, 2, 3], 1)


def test_nobody_waits_for_an_answer_that_does_not_come_after_one_failed() -> None:
    never = threading.Event()

    def ask(number: int) -> None:
        if number == 1:
            raise KeyboardInterrupt
        never.wait(60)

    with pytest.raises(KeyboardInterrupt):
        map_concurrently(ask, [1, 2], 2)
    assert not never.is_set()
    never.set()


def test_a_step_alone_gives_its_result_or_its_error_and_keeps_nobody_waiting() -> None:
    assert alone(lambda: 1).result(60) == 1
    with pytest.raises(ZeroDivisionError):
        alone(lambda: 1 // 0).result(60)
    over = threading.Event()
    with pytest.raises(TimeoutError):
        alone(over.wait).result(0.05)
    over.set()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("finish", [True, False])
def test_nothing_is_begun_after_one_failed(error: type[BaseException], *, finish: bool) -> None:
    begun: list[int] = []
    failed = threading.Event()
    over = threading.Event()

    def ask(number: int) -> None:
        begun.append(number)
        if number == 1:
            failed.set()
            raise error
        assert failed.wait(30)
        assert over.wait(30)

    asking = alone(lambda: map_concurrently(ask, range(1, 9), 2, finish=finish))
    assert failed.wait(30)
    if not (finish and error is ValueError):  # it does not wait for what was begun
        with pytest.raises(error):
            asking.result(30)
    over.set()
    with pytest.raises(error):
        asking.result(30)
    assert len(begun) < 8


def test_an_error_waits_for_what_was_begun_where_that_is_asked() -> None:
    begun, over, ended = threading.Event(), threading.Event(), threading.Event()

    def ask(number: int) -> None:
        if number == 1:
            assert begun.wait(30)
            raise ValueError
        begun.set()
        assert over.wait(30)
        ended.set()

    asking = alone(lambda: map_concurrently(ask, [1, 2], 2, finish=True))
    assert begun.wait(30)
    with pytest.raises(TimeoutError):
        asking.result(0.1)
    over.set()
    with pytest.raises(ValueError, match=r"^$"):
        asking.result(30)
    assert ended.is_set()


def test_there_is_a_core_at_least() -> None:
    assert cores() >= 1


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_fewer_threads_do_where_the_system_allows_no_more(
    monkeypatch: pytest.MonkeyPatch, allowed: int, error: Exception
) -> None:
    start, left = _thread.start_new_thread, iter([True] * allowed)

    def started(work: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
        if not next(left, False):
            raise error
        return start(work, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", started)
    assert map_concurrently(lambda each: each * 2, range(20), 8) == [*range(0, 40, 2)]
