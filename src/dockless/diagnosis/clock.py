"""The clock: certificates and tokens need one that is about right."""

import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime

from dockless.model.finding import Finding, State

AREA = "clock"
# what token services usually forgive, and what breaks signatures of cloud APIs
_FORGIVEN_SECONDS, _TOO_MUCH_SECONDS = 60, 300
_BUILT = datetime(2025, 1, 1, tzinfo=UTC)
_AFTER = datetime(2100, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 10
_REMEDY = (
    "Set the clock, and keep it right with an NTP service such as systemd-timesyncd or chrony."
)


def judge(now: float, date: str = "", age: str = "", host: str = "") -> Iterator[Finding]:
    """Judge a clock by the registry's; by plausibility without one.

    Args:
        now: This machine's time, in seconds since 1970, halfway between request and response.
        date: The Date header of the registry's answer; empty when there is none.
        age: Its Age header, seconds that a cache has kept it; empty when it has none.
        host: The registry; empty for none.
    """
    try:
        there = email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        yield _plausible(now, host)
        return
    there += int(age[:_MOST_DIGITS]) if age.isdecimal() else 0
    ahead = int(now - there)  # the header leaves out what is less than a second
    facts = {"aheadSeconds": ahead}
    side = "ahead of" if ahead > 0 else "behind"
    what = (
        f"{_shown(now)}: {abs(ahead)} s {side} {host}"
        if ahead
        else f"{_shown(now)}: agrees with {host} to the second"
    )
    if abs(ahead) <= _FORGIVEN_SECONDS:
        yield _line("ok", what, facts=facts)
    elif abs(ahead) <= _TOO_MUCH_SECONDS:
        yield _line("note", what, _REMEDY, facts)
    else:
        yield _line("problem", f"{what}.", _REMEDY, facts)


def _plausible(now: float, host: str) -> Finding:
    if not _BUILT.timestamp() <= now < _AFTER.timestamp():
        return _line("problem", f"{_shown(now)} cannot be right.", _REMEDY)
    why = f"{host} does not send its own" if host else "give a registry to compare it with"
    return _line("ok", f"{_shown(now)}: plausible, but not verified; {why}")


def _line(
    state: State, what: str, remedy: str = "", facts: dict[str, int] | None = None
) -> Finding:
    return Finding(
        area=AREA, subject="time", state=state, what=what, remedy=remedy, facts=facts or {}
    )


def _shown(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
