"""A server as it is typed: `[user@]host[:port]`."""

import re

from dockless.errors import UsageError
from dockless.model.server import SSH_PORT, Server

_LAST_PORT = 65535
_PLACES = (
    re.compile(r"\[(?P<host>[^\]\s]+)\](?::(?P<port>\d{1,5}))?"),
    re.compile(r"(?P<host>[^:/\s\[\]]+)(?::(?P<port>\d{1,5}))?"),
    re.compile(r"(?P<host>[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*(?:%\w+)?)(?P<port>)"),
)


def parse_host(text: str, what: str = "--host") -> Server:
    """Return the server in `[user@]host[:port]`; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: It is invalid, or could be taken for an option of a program.
    """
    user, _, place = text.removeprefix("ssh://").rpartition("@")
    if ":" in user:  # no account has one: what follows would be a password
        raise UsageError(
            f"{what} has a password before @{place}, for which SSH has no place.",
            "Remove it, and change it if others may have seen it; use a key or an agent.",
        )
    found = next(filter(None, (pattern.fullmatch(place) for pattern in _PLACES)), None)
    host, port = (found["host"], int(found["port"] or SSH_PORT)) if found else ("", 0)
    odd = any(not each.isprintable() or " " in each or each[:1] == "-" for each in (user, host))
    if found is None or odd or not 1 <= port <= _LAST_PORT:
        raise UsageError(f"{what} {text!r} is not [USER@]HOST[:PORT].", "Write it as me@build1:22.")
    return Server(address=host, user=user, port=port)
