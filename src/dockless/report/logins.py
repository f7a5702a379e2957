"""The logins of this machine, as a table and as JSON; neither has a secret."""

from collections.abc import Sequence

from dockless.model.login import Login
from dockless.model.moments import moment
from dockless.report.json import SCHEMA_VERSION
from dockless.report.text import columns

_HEADINGS = ("REGISTRY", "USERNAME", "KEPT IN", "ENDS")


def logins_text(logins: Sequence[Login]) -> str:
    """Return a table of logins, one a line, under its headings."""
    return columns((_HEADINGS, *map(_row, logins)))


def logins_document(logins: Sequence[Login], unread: Sequence[str] = ()) -> dict[str, object]:
    """Return the JSON document of logins; times are RFC 3339, null when not known.

    Args:
        logins: The logins.
        unread: Why a keyring or file could not be read, a sentence each.
    """
    return {
        "schemaVersion": SCHEMA_VERSION,
        "logins": [
            {
                "registry": login.scope,
                "username": login.username,
                "keptIn": login.place,
                "default": login.default,
                "ends": moment(login.expires) if login.expires is not None else None,
            }
            for login in logins
        ],
        "unread": list(unread),
    }


def _row(login: Login) -> tuple[str, ...]:
    username = login.username or "(unknown)"
    ends = moment(login.expires) if login.expires is not None else "-"
    return (
        login.scope,
        username if login.default else f"{username} (not default)",
        login.place,
        ends,
    )
