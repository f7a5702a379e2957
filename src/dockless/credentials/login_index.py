"""The index of the logins in a keyring: which there are, and until when; no secrets."""

import json
import time
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.oci.untrusted_json import is_number, parse_json

_ENDED_SECONDS = 60.0


class ScopeLogins(Struct, frozen=True, kw_only=True):
    """The index entry of a scope: its users with the expiry of their logins, and its token."""

    users: Mapping[str, float | None]
    default: str = ""
    token_user: str = ""
    token_ends: float = 0.0
    token_of: str = ""


def with_ended(known: ScopeLogins, written: ScopeLogins | None) -> ScopeLogins:
    """Return a scope with the logins that have just ended: their entries may still be there.

    A keyring may remove an entry a moment after its end. Without it in the index, it would be taken
    for a login that the index lacks, and that has no end.
    """
    now = time.time()
    users = written.users if written else {}
    ended = {
        user: ends for user, ends in users.items() if ends and -_ENDED_SECONDS < ends - now < 0
    }
    return replace(known, users={**ended, **known.users})


def live(known: ScopeLogins) -> ScopeLogins:
    """Return what is known of a scope without the logins that have ended."""
    now = time.time()
    users = {user: ends for user, ends in known.users.items() if ends is None or ends > now}
    default = known.default if known.default in users else next(iter(users), "")
    return replace(known, users=users, default=default)


def parse_index(text: str) -> dict[str, ScopeLogins] | None:
    """Return the scopes of an index; None for what is none."""
    try:
        scopes = parse_json(text)["scopes"]
        return {
            str(scope): ScopeLogins(
                users={str(user): _moment(ends) for user, ends in one["users"].items()},
                default=str(one.get("default", "")),
                token_user=str(one.get("tokenUser", "")),
                token_ends=_moment(one.get("tokenEnds")) or 0.0,
                token_of=str(one.get("tokenOf", "")),
            )
            for scope, one in scopes.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _moment(ends: object) -> float | None:
    return float(ends) if is_number(ends) else None


def index_text(index: Mapping[str, ScopeLogins]) -> str:
    """Return an index as it is stored: JSON, without secrets."""
    return json.dumps(
        {"version": 1, "scopes": {scope: _members(one) for scope, one in index.items()}}
    )


def _members(scope: ScopeLogins) -> dict[str, object]:
    members: dict[str, object] = {"users": dict(scope.users), "default": scope.default}
    if scope.token_user:
        members |= {
            "tokenUser": scope.token_user,
            "tokenEnds": scope.token_ends,
            "tokenOf": scope.token_of,
        }
    return members
