import math
import time
from collections.abc import Callable

import pytest

from dockless.errors import AuthError, DocklessError, NetworkError, PushError, ServerError
from dockless.retry import RetryPolicy, SharedBackoff


class Step:
    """Raises what it is given, in turn, and then returns `done`."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = iter(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        for error in self._errors:
            raise error
        return "done"


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def noted() -> list[str]:
    return []


@pytest.fixture
def retry_policy(slept: list[float], noted: list[str]) -> Callable[..., RetryPolicy]:
    def make(attempts: int = 4, deadline: float | None = None) -> RetryPolicy:
        return RetryPolicy(
            attempts=attempts, deadline=deadline, note=noted.append, sleep=slept.append
        )

    return make


def test_what_succeeds_is_called_once(
    retry_policy: Callable[..., RetryPolicy], slept: list[float]
) -> None:
    step = Step()
    assert retry_policy().call(step) == "done"
    assert (step.calls, slept) == (1, [])


def test_a_failure_that_may_pass_is_tried_again_and_announced(
    retry_policy: Callable[..., RetryPolicy], slept: list[float], noted: list[str]
) -> None:
    step = Step(NetworkError("It is down."), NetworkError("It is down."))
    assert retry_policy().call(step) == "done"
    assert len(slept) == 2
    assert noted == [f"It is down. Retrying in {wait:.1f} s." for wait in slept]


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("Not trusted.", passing=False),
        AuthError("Refused."),
        PushError("Broken."),
        ValueError("a bug"),
    ],
)
def test_a_failure_that_will_not_pass_is_raised_at_once(
    retry_policy: Callable[..., RetryPolicy], error: Exception
) -> None:
    step = Step(error)
    with pytest.raises(type(error)) as caught:
        retry_policy().call(step)
    assert caught.value is error
    assert step.calls == 1


def test_the_last_failure_is_raised_when_all_attempts_failed(
    retry_policy: Callable[..., RetryPolicy],
) -> None:
    last = NetworkError("The last.")
    step = Step(NetworkError("One."), NetworkError("Two."), last)
    with pytest.raises(DocklessError) as caught:
        retry_policy(attempts=3).call(step)
    assert caught.value is last


def test_the_registry_is_waited_for_as_long_as_it_asks(
    retry_policy: Callable[..., RetryPolicy], slept: list[float]
) -> None:
    retry_policy().call(Step(NetworkError("Busy.", retry_after=17.0)))
    assert slept == [17.0]


@pytest.mark.parametrize(
    ("asked", "waited", "said"),
    [
        (599.0, 599.0, "9.98 min"),
        (601.0, 600.0, "10 min"),
        (3600.0, 600.0, "10 min"),
        (86_400.0, 600.0, "10 min"),
        (59.9, 59.9, "59.9 s"),
        (59.96, 59.96, "0.999 min"),
        (90.0, 90.0, "1.5 min"),
    ],
)
def test_a_pause_is_bounded_and_said_in_minutes(
    retry_policy: Callable[..., RetryPolicy],
    slept: list[float],
    noted: list[str],
    asked: float,
    waited: float,
    said: str,
) -> None:
    retry_policy().call(Step(NetworkError("Busy.", retry_after=asked)))
    assert slept == [waited]
    assert noted == [f"Busy. Retrying in {said}."]


@pytest.mark.parametrize("asked", [601.0, 3600.0, 86_400.0])
def test_a_pause_that_others_were_asked_for_is_bounded_too(asked: float) -> None:
    slept: list[float] = []
    noted: list[str] = []
    shared_backoff = SharedBackoff(lambda: 100.0)
    shared_backoff.hold(asked)
    RetryPolicy(
        attempts=1,
        deadline=None,
        note=noted.append,
        sleep=slept.append,
        shared_backoff=shared_backoff,
    ).pause("It is busy.")
    assert slept == [600.0]
    assert noted == ["It is busy. Continuing in 10 min."]


def test_who_gave_a_limit_of_time_waits_as_long_as_that(slept: list[float]) -> None:
    shared_backoff = SharedBackoff(longest=math.inf)
    deadline = time.monotonic() + 10_000
    kept = RetryPolicy(
        attempts=2,
        deadline=deadline,
        note=lambda _: None,
        sleep=slept.append,
        shared_backoff=shared_backoff,
    )
    kept.call(Step(NetworkError("Busy.", retry_after=3600.0)))
    assert slept == [3600.0]


def test_waits_grow_and_never_pass_half_a_minute(
    retry_policy: Callable[..., RetryPolicy], slept: list[float]
) -> None:
    with pytest.raises(NetworkError):
        retry_policy(attempts=200).call(Step(*[NetworkError("It is down.")] * 200))
    assert slept[0] <= 0.5
    assert 10 < max(slept) <= 30


def test_nothing_is_tried_again_when_the_wait_leads_past_the_deadline(
    retry_policy: Callable[..., RetryPolicy], slept: list[float]
) -> None:
    step = Step(NetworkError("Busy.", retry_after=3600.0))
    with pytest.raises(NetworkError):
        retry_policy(deadline=time.monotonic() + 60).call(step)
    assert (step.calls, slept) == (1, [])


def test_before_the_deadline_a_failure_is_tried_again(
    retry_policy: Callable[..., RetryPolicy],
) -> None:
    step = Step(NetworkError("Busy.", retry_after=1.0))
    assert retry_policy(deadline=time.monotonic() + 3600).call(step) == "done"


def test_a_question_that_the_registry_only_fails_at_has_no_answer(
    retry_policy: Callable[..., RetryPolicy], slept: list[float]
) -> None:
    step = Step(*[ServerError("It fails.")] * 9)
    assert retry_policy(attempts=9).ask(step, "unknown") == "unknown"
    assert (step.calls, len(slept)) == (3, 2)


def test_a_question_is_asked_again_before_it_has_no_answer(
    retry_policy: Callable[..., RetryPolicy],
) -> None:
    step = Step(ServerError("It fails."), NetworkError("It is down."), ServerError("It fails."))
    assert retry_policy().ask(step, "unknown") == "done"


def test_a_registry_that_is_down_leaves_no_question_open(
    retry_policy: Callable[..., RetryPolicy],
) -> None:
    with pytest.raises(NetworkError):
        retry_policy(attempts=2).ask(Step(*[NetworkError("It is down.")] * 2), "unknown")


def test_a_registry_that_is_busy_brakes_everybody() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    shared_backoff = SharedBackoff(lambda: now[0])
    one, other = (
        RetryPolicy(
            attempts=1,
            deadline=None,
            note=lambda _: None,
            sleep=sleep,
            shared_backoff=shared_backoff,
        )
        for _ in range(2)
    )
    with pytest.raises(NetworkError):
        one.call(Step(NetworkError("Busy.", retry_after=7.0)))
    assert other.call(Step()) == "done"
    assert slept == [7.0], "the other one waited, too"
    assert other.call(Step()) == "done"
    assert slept == [7.0], "and not for longer"


def test_trouble_of_ones_own_brakes_nobody() -> None:
    shared_backoff = SharedBackoff()
    with pytest.raises(NetworkError):
        RetryPolicy(
            attempts=1, deadline=None, note=lambda _: None, shared_backoff=shared_backoff
        ).call(Step(NetworkError("Gone.")))
    assert shared_backoff.left() == 0.0
