"""How long a question and its answer may take, whatever trickles."""

import http.client
import io
import math
from types import SimpleNamespace

import pytest

from dockless.transport import deadline
from dockless.transport.deadline import POOLS, Limit, committing


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock))
    return clock


def over(limit: Limit, clock: Clock, step: float, size: int = 1) -> float:
    """Receive pieces of an answer until no time is left; return the seconds that took."""
    begun = clock.now
    while limit.receiving() > 0:
        assert clock.now - begun < 1_000_000, "it has no end"
        clock.now += step
        limit.received(size)
    return clock.now - begun


@pytest.mark.parametrize("step", [0.3, 5.0, 59.0])
def test_headers_have_a_minute_however_they_trickle(clock: Clock, step: float) -> None:
    limit = Limit()
    limit.sending()
    clock.now += 3600
    assert 60 <= over(limit, clock, step) < 60 + step


@pytest.mark.parametrize(("size", "seconds"), [(0, 60), (200_000_000, 70), (20_000_000_000, 1060)])
def test_what_a_registry_has_to_commit_gives_it_time(
    clock: Clock, size: int, seconds: float
) -> None:
    limit = Limit()
    limit.sending()
    limit.sent(size)
    assert over(limit, clock, 1.0) == pytest.approx(seconds, abs=1.1)
    with committing(size):
        limit = Limit()
    limit.sending()
    assert over(limit, clock, 1.0) == pytest.approx(seconds, abs=1.1)
    assert over(Limit(), clock, 1.0) == pytest.approx(60, abs=1.1)


@pytest.mark.parametrize("step", [0.3, 7.0, 29.0])
def test_a_body_that_trickles_has_half_a_minute(clock: Clock, step: float) -> None:
    limit = Limit()
    limit.begin_body()
    assert 30 <= over(limit, clock, step) < 31 + step


def test_a_body_has_as_long_as_it_keeps_its_pace(clock: Clock) -> None:
    limit = Limit()
    limit.begin_body()
    for _ in range(10_000):
        assert limit.receiving() > 0
        clock.now += 1.0
        limit.received(64_000)
    assert over(limit, clock, 1.0, 0) == pytest.approx(30, abs=1.1)


def test_time_that_we_need_ourselves_does_not_count(clock: Clock) -> None:
    limit = Limit()
    limit.begin_body()
    with limit.paused():
        clock.now += 3600
    assert limit.receiving() == pytest.approx(30)


@pytest.mark.parametrize("left", [0.5, 8.0, 29.0])
def test_the_whole_is_over_when_it_is(clock: Clock, left: float) -> None:
    limit = Limit(clock.now + left)
    assert limit.sending() == pytest.approx(left)
    limit.sent(10**12)
    assert limit.receiving() == pytest.approx(left)
    limit.begin_body()
    limit.received(10**12)
    assert over(limit, clock, 0.1) == pytest.approx(left, abs=0.2)
    assert limit.sending() <= 0


def test_a_piece_of_the_question_has_a_minute(clock: Clock) -> None:
    del clock
    assert Limit().sending() == 60
    assert Limit(math.inf).sending() == 60


class Line:
    """A connection whose other end has said all that it will."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._said)


def answer(said: bytes) -> http.client.HTTPResponse:
    (kind,) = {getattr(pool, "ConnectionCls").response_class for pool in POOLS.values()}  # noqa: B009 - the type of the values says nothing of it
    found: http.client.HTTPResponse = kind(Line(said), method="GET")
    found.begin()
    return found


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
FINAL = b"HTTP/1.1 401 Unauthorized\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "before",
    [
        HINTS,
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 199 Own\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS + b"HTTP/1.1 100 Continue\r\n\r\n",
        HINTS * 100,
    ],
)
def test_what_precedes_the_answer_is_skipped(before: bytes) -> None:
    found = answer(before + FINAL)
    assert (found.status, found.getheader("X-Own"), found.read()) == (401, "1", b"{}")
    assert found.getheader("Link") is None


def test_a_switch_of_protocols_is_final() -> None:
    assert answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + FINAL).status == 101


def test_a_flood_of_what_precedes_an_answer_ends() -> None:
    with pytest.raises(http.client.HTTPException, match="100 interim"):
        answer(HINTS * 101 + FINAL)
