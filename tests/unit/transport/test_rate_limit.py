import pytest

from dockless.transport.rate_limit import RateLimiter


def test_bytes_go_at_the_rate_over_all_who_share_it() -> None:
    now = 100.0
    waits: list[float] = []
    rate_limiter = RateLimiter(1000, lambda: now, waits.append)
    for _ in range(3):
        rate_limiter.take(500)
    assert waits == [0.5, 1.0]


def test_what_was_not_used_is_not_saved_up() -> None:
    moments = iter((0.0, 60.0, 60.0))
    waits: list[float] = []
    rate_limiter = RateLimiter(1000, lambda: next(moments), waits.append)
    for _ in range(3):
        rate_limiter.take(1000)
    assert waits == [1.0]


def test_without_a_rate_nobody_waits() -> None:
    waits: list[float] = []
    RateLimiter(None, sleep=waits.append).take(10**12)
    assert waits == []


@pytest.mark.parametrize(("until", "waited"), [(100.25, 0.25), (101.0, 0.5), (99.0, None)])
def test_nobody_waits_past_the_deadline(until: float, waited: float | None) -> None:
    waits: list[float] = []
    rate_limiter = RateLimiter(1000, lambda: 100.0, waits.append)
    rate_limiter.take(500)
    rate_limiter.take(500, until)
    assert waits == ([] if waited is None else [waited])
