"""Times as in receipts and documents: RFC 3339, in UTC."""

import re
from datetime import UTC, datetime

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def moment(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339, in UTC, to the second.

    What is before 1970 or after the year 9999 comes out as the first or last second of that.
    """
    seconds = min(max(seconds, 0.0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_moment(value: object) -> bool:
    """Whether a value is a text that is a time of RFC 3339, on a day that there is."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:  # such as the 30th of February
        return False
    return True
