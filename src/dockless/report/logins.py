"""The logins of this machine, as a table and as JSON; neither has a secret."""

from collections.abc import Sequence
from datetime import UTC, datetime

from dockless.model.login import Login
from dockless.report.text import columns

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
_HEADINGS = ("REGISTRY", "USERNAME", "KEPT IN", "ENDS")


def logins_text(logins: Sequence[Login]) -> str:
    """Return a table of logins, one a line, under its headings."""
    return columns((_HEADINGS, *map(_row, logins)))


def logins_document(logins: Sequence[Login]) -> dict[str, object]:
    """Return the JSON document of logins; times are RFC 3339, null when not known."""
    return {
        "logins": [
            {
                "registry": login.scope,
                "username": login.username,
                "keptIn": login.place,
                "default": login.default,
                "ends": moment(login.expires) if login.expires is not None else None,
            }
            for login in logins
        ]
    }


def moment(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339, in UTC, to the second.

    What is before 1970 or after the year 9999 comes out as the first or last second of that.
    """
    seconds = min(max(seconds, 0.0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(login: Login) -> tuple[str, ...]:
    username = login.username or "(not told)"
    ends = moment(login.expires) if login.expires is not None else "-"
    return (
        login.scope,
        username if login.default else f"{username} (not default)",
        login.place,
        ends,
    )
