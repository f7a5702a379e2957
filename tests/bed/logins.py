"""Logins where docker and podman keep them: in a file, or with a credential helper."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from bed.registry import Login

_SCRIPT = """#!/bin/sh
read -r server
echo "$server" >> '{asked}'
sleep 0.2
if [ "$1" = get ] && [ "$server" = '{server}' ]; then
    exec cat '{answer}'
fi
echo 'credentials not found in native keychain'
exit 1
"""


@dataclass(frozen=True, slots=True)
class Helper:
    """A credential helper that knows one registry.

    Attributes:
        program: The program; its folder has to be on PATH.
        log: What it was asked for, one server a line.
    """

    program: Path
    log: Path

    @property
    def asked(self) -> list[str]:
        """The servers that it was asked for."""
        return self.log.read_text().splitlines() if self.log.exists() else []


def helper(folder: Path, name: str, server: str, login: Login) -> Helper:
    """Write `docker-credential-NAME`, which speaks the protocol's `get`, into a folder.

    It takes its time, so that a watch has a chance to see it.
    """
    program, log = folder / f"docker-credential-{name}", folder / f"{name}.log"
    answer = folder / f"{name}.json"
    known = {"ServerURL": server, "Username": login.username, "Secret": login.password}
    answer.write_text(json.dumps(known))
    program.write_text(_SCRIPT.format(asked=log, server=server, answer=answer))
    program.chmod(0o755)
    return Helper(program, log)


def auths(host: str, login: Login) -> dict[str, object]:
    """Return the member of a `config.json` or `auth.json` that holds a login."""
    return {"auths": {host: auth(login)}}


def auth(login: Login) -> dict[str, str]:
    """Return the entry of a login in such a member."""
    return {"auth": base64.b64encode(":".join(login).encode()).decode()}


def docker_file(home: Path, content: dict[str, object]) -> Path:
    """Write Docker's `config.json` into a home, and return it."""
    path = home / ".docker" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
