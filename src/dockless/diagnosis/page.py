"""Running checks: in parallel, each with a time limit, independent of other failures."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct, field

from dockless.concurrency import alone, seconds_left
from dockless.errors import DocklessError
from dockless.model.finding import Finding
from dockless.model.reasons import kind
from dockless.threads import LoneStep

CHECK_SECONDS = 10.0
PAGE_SECONDS = 60.0


class Check(Struct, frozen=True, kw_only=True):
    """One check.

    Attributes:
        area: What it is about.
        subject: The thing.
        look: Looks at it. A `DocklessError` that it raises is a problem, with its remedy.
        needed: Whether a problem here makes the following checks of the lane useless.
        failure: What a problem here means for the following checks, as a clause.
    """

    area: str
    subject: str
    look: Callable[[], Iterable[Finding]]
    needed: bool = False
    failure: str = ""

    def problem(self, what: str, remedy: str) -> Finding:
        """Return a problem of this check."""
        return Finding(
            area=self.area, subject=self.subject, state="problem", what=what, remedy=remedy
        )


Lane = Sequence[Check]


class _LaneProgress(Struct):
    """What one lane has found so far, each check's findings in one piece."""

    found: list[tuple[Finding, ...]] = field(default_factory=list)


def examine(
    lanes: Sequence[Lane], each: float = CHECK_SECONDS, whole: float = PAGE_SECONDS
) -> tuple[Finding, ...]:
    """Return everything that the checks find, in their order.

    Args:
        lanes: Checks that follow one another; the lanes themselves run side by side.
        each: Seconds for one check; one that takes longer is a problem, and is abandoned.
        whole: Seconds for all of them; fewer where `--timeout` ends before.
    """
    left = seconds_left()
    until = time.monotonic() + (whole if left is None else min(whole, left))
    begun = [(lane, *_begin(lane, each)) for lane in lanes]
    return tuple(
        finding
        for lane, progress, ended in begun
        for finding in _collected(lane, progress, ended, until)
    )


def _begin(lane: Lane, each: float) -> tuple[_LaneProgress, LoneStep[None]]:
    progress = _LaneProgress()
    return progress, alone(lambda: _walk(lane, each, progress))


def _walk(lane: Lane, each: float, progress: _LaneProgress) -> None:
    for number, check in enumerate(lane):
        found = _looked(check, each)
        progress.found.append(found)
        if check.needed and any(finding.state == "problem" for finding in found):
            progress.found.append(tuple(_left_out(check, lane[number + 1 :])))
            return


def _looked(check: Check, each: float) -> tuple[Finding, ...]:
    future = alone(lambda: tuple(check.look()))
    try:
        # asked for, not raised: whatever went wrong in a check is one line of the page
        error = future.exception(each)
    except TimeoutError:
        return (_late(check, each),)
    if error is None:
        return future.result()
    if isinstance(error, DocklessError):
        remedy = error.remedy or "Check the file or setting named above."
        return (check.problem(error.what, remedy),)
    # only its kind: the text of a foreign error may hold what the check was given
    what = f"The check itself failed: {kind(error)}."
    return (check.problem(what, "Please report it; the other checks are not affected."),)


def _collected(
    lane: Lane, progress: _LaneProgress, ended: LoneStep[None], until: float
) -> Iterator[Finding]:
    late = False
    try:
        ended.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        late = True
    found = tuple(progress.found)
    for findings in found:
        yield from findings
    if late:
        for check in lane[len(found) :]:
            yield check.problem(
                "The time limit was reached before this check.",
                "Run it again when the other problems are solved.",
            )


def _late(check: Check, seconds: float) -> Finding:
    return check.problem(
        f"The check did not finish within {seconds:g} seconds.",
        "Look for the cause: a hanging program, network or file system.",
    )


def _left_out(needed: Check, checks: Sequence[Check]) -> Iterator[Finding]:
    names = ", ".join(check.subject for check in checks)
    if names:
        were = "was" if len(checks) == 1 else "were"
        what = f"{were} not checked, since {needed.failure or f'{needed.subject} has a problem'}"
        yield Finding(area=needed.area, subject=names, state="note", what=what)
