"""Durations as text: `90`, `90s`, `5m`, `1h30m`."""

import re

from dockless.model.printable import shortened

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s?)?")


def seconds_of(text: str, *, positive: bool = False) -> float:
    """Return the seconds of a duration; raise ValueError where it is none.

    Args:
        text: The duration.
        positive: Whether none at all is refused.
    """
    found = _DURATION.fullmatch(text)
    if not text or found is None or not any(found.groups()):
        raise ValueError(f"{shortened(text)!r} is not a duration such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = 3600 * hours + 60 * minutes + seconds
    if positive and not total:
        raise ValueError(f"{text!r} is not a time limit; give 1s or more")
    return total
