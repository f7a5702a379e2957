"""Retries: which failures are temporary, how long to wait, and when to give up."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field

from dockless.errors import NetworkError, ServerError

if TYPE_CHECKING:
    import tenacity

_FIRST_WAIT_SECONDS = 0.5
_BUSY_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 600.0
_MINUTE_SECONDS = 60
_QUESTIONS = 3

Result = TypeVar("Result")


class SharedBackoff:
    """The pause that a registry asked for, shared by several workers.

    Args:
        clock: Seconds that only ever grow.
        longest: Seconds that a pause has at most, whatever the registry asks for.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, longest: float = _LONGEST_PAUSE_SECONDS
    ) -> None:
        self._clock = clock
        self.longest = longest
        self._until = 0.0

    def hold(self, seconds: float) -> None:
        """Ask all to wait this number of seconds."""
        self._until = max(self._until, self._clock() + min(seconds, self.longest))

    def left(self) -> float:
        """Return the seconds that are still to be waited."""
        return max(0.0, self._until - self._clock())


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """How often and how long to try.

    Attributes:
        attempts: How often a step is tried at most.
        deadline: The moment, on the clock of `time.monotonic`, after which nothing is tried
            again; None for no such moment.
        note: Called with a line for every wait.
        sleep: Waits this number of seconds.
        shared_backoff: Held by a worker that is asked to wait; all workers at a registry share it.
    """

    attempts: int
    deadline: float | None
    note: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    shared_backoff: SharedBackoff = field(default_factory=SharedBackoff)

    def call(self, step: Callable[[], Result], only: type[NetworkError] = NetworkError) -> Result:
        """Return the step's result, retrying after every failure that may be temporary.

        The wait doubles from half a second to 30 s, with jitter; after 429 and 503 it is at least
        1 s, 2 s, 4 s and so on. What the registry asks for with Retry-After is waited for instead,
        as far as the shared backoff allows, unless that leads past the deadline.

        Raises:
            NetworkError: The last one, when no retry is left.
        """
        self.pause()
        try:
            return self._told(step)
        except only as error:
            failures = [error]

        def again() -> Result:
            if failures:  # the first try, which was made above
                raise failures.pop()
            return self._told(step)

        return self._retrying(only)(again)

    def _retrying(self, only: type[NetworkError]) -> "tenacity.Retrying":
        """Return what tries a step again, as `call` says."""
        import tenacity  # noqa: PLC0415 - as a rule nothing fails, and it takes 30 ms to load

        backoff = tenacity.wait_random_exponential(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome and state.outcome.exception()
            if not isinstance(error, NetworkError):
                return self.shared_backoff.left()
            if error.retry_after is not None:
                return max(
                    min(error.retry_after, self.shared_backoff.longest), self.shared_backoff.left()
                )
            least = _BUSY_WAIT_SECONDS * 2 ** (state.attempt_number - 1) if error.busy else 0.0
            return max(
                backoff(state), min(least, _LONGEST_WAIT_SECONDS), self.shared_backoff.left()
            )

        def late(state: tenacity.RetryCallState) -> bool:
            until = time.monotonic() + state.upcoming_sleep
            return self.deadline is not None and until > self.deadline

        def announce(state: tenacity.RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            what = error.what if isinstance(error, NetworkError) else ""
            self.note(f"{what} Retrying in {_time(state.upcoming_sleep)}.")

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: _passes(error, only)),
            wait=wait,
            stop=lambda state: state.attempt_number >= self.attempts or late(state),
            before_sleep=announce,
            sleep=self.sleep,
            reraise=True,
        )

    def pause(self, why: str = "") -> None:
        """Wait for the pause that the registry asked for, and print the reason if given."""
        if left := self.shared_backoff.left():
            rest = left if self.deadline is None else self.deadline - time.monotonic()
            seconds = max(0.0, min(left, rest))
            if why:
                self.note(f"{why} Continuing in {_time(seconds)}.")
            self.sleep(seconds)

    def ask(self, question: Callable[[], Result], unknown: Result) -> Result:
        """Return the answer to a question about what is there, or `unknown` if it only fails.

        Raises:
            NetworkError: The last failure of another kind, when no retry is left.
        """
        left = min(_QUESTIONS, self.attempts)

        def once() -> Result:
            nonlocal left
            try:
                return question()
            except ServerError:
                left -= 1
                if not left:
                    return unknown
                raise

        return self.call(once)

    def _told(self, step: Callable[[], Result]) -> Result:
        """Run a step; all who share the backoff wait as long as a busy registry asks for."""
        try:
            return step()
        except NetworkError as error:
            if error.retry_after is not None:
                self.shared_backoff.hold(error.retry_after)
            raise


def _time(seconds: float) -> str:
    """Return seconds as text: from a minute on, in minutes."""
    if round(seconds, 1) < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    return f"{seconds / _MINUTE_SECONDS:.3g} min"


def _passes(error: BaseException, only: type[NetworkError]) -> bool:
    return isinstance(error, only) and error.passing
