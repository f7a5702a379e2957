"""The logins of this machine, as a table and as JSON; neither has a secret."""

from collections.abc import Sequence
from datetime import UTC, datetime

from dockless.model.login import Login

_HEADINGS = ("REGISTRY", "USERNAME", "KEPT IN", "ENDS")


def logins_text(logins: Sequence[Login]) -> str:
    """Return a table of logins, one a line, under its headings."""
    rows = [_HEADINGS, *(_row(login) for login in logins)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


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
    """Return seconds since 1970 as RFC 3339, in UTC, to the second."""
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
