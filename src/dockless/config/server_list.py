"""The list of servers: where it comes from, and `--servers`, which picks from it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockless.config import files
from dockless.config.document import Scalar, Value
from dockless.config.setting import Setting, first
from dockless.errors import UsageError
from dockless.model.server import SSH_PORT, Server
from dockless.model.typed_server import is_host_name, is_place, is_user_name, parse_host

_TEXT_FILE = "deploy-servers.txt"
_JSON_FILE = "deploy-servers.json"
_ACCEPTS = {"host": is_host_name, "user": is_user_name, "proxy": is_place}
_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def read(folder: Path) -> Setting[tuple[Server, ...]] | None:
    """Return the list of `deploy-servers.txt`, else of `deploy-servers.json`, else None.

    Raises:
        UsageError: The file that is in use cannot be read, or a server in it is wrong.
    """
    return first(reader(folder) for reader in (_read_text, _read_json))


def select(servers: Sequence[Server], numbers: str) -> tuple[Server, ...]:
    """Return the servers that a list such as `1,3,5` or `2-4` names, in its order, each once.

    Args:
        servers: The list in use.
        numbers: Positions in it, from 1.

    Raises:
        UsageError: It is not such a list, or a number is out of range; the list is in the error.
    """
    positions: dict[int, None] = {}
    for part in numbers.split(","):
        found = _RANGE.fullmatch(part.strip())
        low = int(found[1]) if found else 0
        high = int(found[2] or found[1]) if found else 0
        if not 1 <= low <= high <= len(servers):
            why = "is not a number, as in 1, or a range, as in 2-4"
            if found:
                why = "runs backwards" if low > high else f"is not from 1 to {len(servers)}"
            raise UsageError(
                f"--servers {numbers}: {part.strip()!r} {why}.",
                f"These are the servers:\n{numbered(servers)}",
            )
        positions |= dict.fromkeys(range(low, high + 1))
    return tuple(servers[position - 1] for position in positions)


def numbered(servers: Sequence[Server]) -> str:
    """Return the list as text, one numbered server a line."""
    return "\n".join(f"{number:3}  {server}" for number, server in enumerate(servers, 1))


def checked(text: str, what: str, where: Value) -> str:
    """Return a host, user or proxy, refused when a program could take it for more than a name.

    Args:
        text: The host, the user, or `[USER@]HOST[:PORT]`.
        what: Which of these it is: `host`, `user` or `proxy`.
        where: Where it stands.
    """
    if text.startswith("-"):
        raise where.wrong(f"has a {what} that begins with '-', which could be taken for an option")
    if not text or not text.isprintable() or any(character.isspace() for character in text):
        raise where.wrong(f"has a {what} that is empty or contains spaces")
    if not _ACCEPTS[what](text):
        raise where.wrong(f"has a {what} with characters that ssh does not accept: {text!r}")
    return text


def required(server: Value, what: str) -> str:
    """Return the host or user of a server's map."""
    value = server.get(what)
    if value is None:
        raise server.wrong(f"has no {what}", f"Every server needs a {what}.")
    return checked(value.text(), what, value)


def port_of(value: Value) -> int:
    """Return the port of a server's map, 22 when there is none."""
    inner = value.get("port")
    return inner.port() if inner else SSH_PORT


def _read_text(folder: Path) -> Setting[tuple[Server, ...]] | None:
    text = files.read_text(folder / _TEXT_FILE, _TEXT_FILE)
    return None if text is None else Setting(tuple(_lines(text)), _TEXT_FILE)


def _lines(text: str) -> Iterator[Server]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = Value(data={}, file=_TEXT_FILE, line=number, key="")
        if len(words) == 1 and "@" in words[0].lstrip(
            "@"
        ):  # a user is required, as in the other form
            yield parse_host(words[0], f"{_TEXT_FILE}:{number}:")
            continue
        if len(words) not in (2, 3):
            raise where.wrong("is not `host user [port]` or `user@host[:port]`")
        host, user = checked(words[0], "host", where), checked(words[1], "user", where)
        port = (
            Value(data=Scalar("text", words[2]), file=_TEXT_FILE, line=number, key="port").port()
            if words[2:]
            else SSH_PORT
        )
        yield Server(address=host, user=user, port=port)


def _read_json(folder: Path) -> Setting[tuple[Server, ...]] | None:
    document = files.read_json(folder / _JSON_FILE, _JSON_FILE)
    if document is None:
        return None
    servers = document.get("servers")
    if servers is None:
        raise document.wrong("has no list `servers`")
    return Setting(tuple(_entry(item) for item in servers.items()), _JSON_FILE)


def _entry(item: Value) -> Server:
    return Server(
        address=required(item, "host"),
        user=required(item, "user"),
        port=port_of(item),
        remote_dir=item.optional("remoteDir"),
        image_name=item.optional("imageName"),
    )
