import itertools
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from dockless.report.counter import Counter, Standing, first_line, line
from dockless.report.units import human_time


def _ticking() -> Callable[[], float]:
    """Return a clock that is a second later at every look."""
    return itertools.count(100.0).__next__


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Let threads interrupt each other as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _together(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_it_shows_once_in_an_interval_and_at_the_end() -> None:
    shown: list[Standing] = []
    counter = Counter(Standing(what="Staging", total=100), _ticking(), 5.0, shown.append)
    for _ in range(12):
        counter.advance(5)
    counter.finish()

    assert [(task.done, task.seconds, task.ended) for task in shown] == [
        (25, 5.0, False),
        (50, 10.0, False),
        (60, 13.0, True),
    ]


@pytest.mark.parametrize(
    ("total", "counted", "done"), [(100, 60, 100), (100, 104, 100), (None, 60, 60)]
)
def test_work_that_is_complete_shows_its_total(total: int | None, counted: int, done: int) -> None:
    shown: list[Standing] = []
    counter = Counter(Standing(what="Uploading", total=total), _ticking(), 1000.0, shown.append)
    counter.advance(counted)
    counter.complete()
    counter.finish()

    assert [(task.done, task.ended) for task in shown] == [(done, True)]


def test_after_the_end_it_shows_nothing_more() -> None:
    shown: list[Standing] = []
    counter = Counter(Standing(what="Staging", total=100), _ticking(), 1.0, shown.append)
    counter.finish()
    counter.finish()
    counter.advance(5)

    assert len(shown) == 1


def test_an_advance_of_nothing_still_shows_that_time_passes() -> None:
    shown: list[Standing] = []
    counter = Counter(Standing(what="Uploading", total=100), _ticking(), 1.0, shown.append)
    counter.advance(0)

    assert shown == [Standing(what="Uploading", total=100, done=0, seconds=1.0)]


@pytest.mark.usefixtures("impatient_threads")
def test_threads_that_hammer_it_lose_no_byte() -> None:
    shown: list[Standing] = []
    counter = Counter(Standing(what="Staging", total=None), _ticking(), 5.0, shown.append)

    def work() -> None:
        for _ in range(20_000):
            counter.advance(3)

    _together(work)
    counter.finish()

    assert shown[-1].done == 4 * 20_000 * 3


@pytest.mark.usefixtures("impatient_threads")
def test_threads_show_one_at_a_time_and_never_go_back() -> None:
    shown: list[int] = []
    inside = threading.Lock()

    def show(task: Standing) -> None:
        assert inside.acquire(blocking=False)
        shown.append(task.done)
        inside.release()

    counter = Counter(Standing(what="Staging", total=None), _ticking(), 0.0, show)

    def work() -> None:
        for _ in range(2_000):
            counter.advance(1)

    _together(work)

    assert shown == list(range(1, 8_001))


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (Standing(what="Staging", total=530_000_000), "Staging: 530 MB"),
        (Standing(what="Staging", total=0), "Staging: 0 B"),
        (Standing(what="Reading standard input", total=None), "Reading standard input"),
    ],
)
def test_the_first_line_has_the_total_when_it_is_known(task: Standing, text: str) -> None:
    assert first_line(task) == text


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (Standing(what="Up", total=200, done=50, seconds=2.0), "Up: 50 B of 200 B (25%), 25 B/s"),
        (
            Standing(what="Up", total=200, done=199, seconds=2.0),
            "Up: 199 B of 200 B (99%), 99.5 B/s",
        ),
        (
            Standing(what="Up", total=200, done=250, seconds=2.0),
            "Up: 250 B of 200 B (100%), 125 B/s",
        ),
        (Standing(what="Up", total=None, done=50, seconds=2.0), "Up: 50 B, 25 B/s"),
        (Standing(what="Up", total=0, done=0, seconds=2.0), "Up: 0 B of 0 B, 0 B/s"),
        (Standing(what="Up", total=200, done=0, seconds=0.0), "Up: 0 B of 200 B (0%)"),
        (
            Standing(what="Up", total=200, done=200, seconds=2.0, ended=True),
            "Up: 200 B in 2.0 s, 100 B/s",
        ),
        (
            Standing(what="Up", total=None, done=200, seconds=2.0, ended=True),
            "Up: 200 B in 2.0 s, 100 B/s",
        ),
        (
            Standing(what="Up", total=200, done=50, seconds=2.0, ended=True),
            "Up: 50 B of 200 B in 2.0 s, 25 B/s",
        ),
        (Standing(what="Up", total=200, done=200, seconds=0.0, ended=True), "Up: 200 B in 0.0 s"),
    ],
)
def test_a_line_says_how_far_it_is_or_how_it_ended(task: Standing, text: str) -> None:
    assert line(task) == text


@pytest.mark.parametrize("seconds", [0.04, 3.1, 65.0])
def test_work_whose_bytes_nobody_counts_has_neither_size_nor_speed(seconds: float) -> None:
    task = Standing(what="pulling a:1", total=None, seconds=seconds, ended=True)
    assert line(task) == f"pulling a:1: {human_time(seconds)}"
