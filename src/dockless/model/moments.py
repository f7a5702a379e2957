"""Times as in receipts and documents: RFC 3339, in UTC."""

from datetime import UTC, datetime

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def moment(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339, in UTC, to the second.

    What is before 1970 or after the year 9999 comes out as the first or last second of that.
    """
    seconds = min(max(seconds, 0.0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
