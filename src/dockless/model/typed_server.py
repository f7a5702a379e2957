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

# what a shell, which runs a ProxyCommand, takes for more than a name; as OpenSSH has it for hosts
_ODD_HOST = re.compile(r"""^-|['`"$\\;&<>|(){}\s\x00-\x1f\x7f-\x9f]""")
# and for users: a domain's have one backslash within, and those of machines a $ at the end
_ODD_USER = re.compile(r"""^-|['`";&<>|(){}\s\x00-\x1f\x7f-\x9f]|\$(?!$)|\\$""")


def is_host_name(text: str) -> bool:
    """Whether a name may stand in a command: what OpenSSH's `valid_hostname` accepts."""
    return _ODD_HOST.search(text) is None


def is_user_name(text: str) -> bool:
    """Whether a user's name may stand in a command: not more than `valid_ruser` accepts."""
    return _ODD_USER.search(text) is None


def is_place(text: str) -> bool:
    """Whether both names of a `[USER@]HOST[:PORT]` may stand in a command."""
    user, _, host = text.rpartition("@")
    return is_user_name(user) and is_host_name(host)


def parse_host(text: str, what: str = "--host") -> Server:
    """Return the server in `[user@]host[:port]`; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: It is invalid, or could be taken for an option of a program.
    """
    if "," in text and all(map(_is_one, text.split(","))):
        raise UsageError(
            f"{what} names several hosts with commas between them, and takes one.",
            "Repeat --host for each of them." if what == "--host" else "Write each by itself.",
        )
    user, _, place = text.removeprefix("ssh://").rpartition("@")
    if ":" in user:  # no account has one: what follows would be a password
        raise UsageError(
            f"{what} has a password before @{place}, for which SSH has no place.",
            "Remove it, and change it if others may have seen it; use a key or an agent.",
        )
    found = next(filter(None, (pattern.fullmatch(place) for pattern in _PLACES)), None)
    host, port = (found["host"], int(found["port"] or SSH_PORT)) if found else ("", 0)
    odd = not (user + host).isprintable() or not is_user_name(user) or not is_host_name(host)
    if found is None or odd or not 1 <= port <= _LAST_PORT:
        raise UsageError(f"{what} {text!r} is not [USER@]HOST[:PORT].", "Write it as me@build1:22.")
    return Server(address=host, user=user, port=port)


def _is_one(text: str) -> bool:
    """Whether a part of a text with commas is a host by itself, and not of a password."""
    user, _, place = text.strip().removeprefix("ssh://").rpartition("@")
    return ":" not in user and any(pattern.fullmatch(place) for pattern in _PLACES)
