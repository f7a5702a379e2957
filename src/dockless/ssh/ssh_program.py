"""What `ssh -G` says of a host: ssh_config(5), as evaluated by OpenSSH itself.

Without an ssh program, paramiko reads the user's file, without Include and `Match exec`.
"""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from dockless.errors import EngineError, UsageError
from dockless.model.printable import bounded
from dockless.model.server import SSH_PORT, Server
from dockless.processes.regular import read_given
from dockless.processes.run import run
from dockless.ssh.config_lookup import look_up
from dockless.ssh.project_config import configuration

_SECONDS = 15.0
_NAMELESS = "No user exists for uid"
_SEVERAL = frozenset({"identityfile", "certificatefile"})
Options = Mapping[str, tuple[str, ...]]
"""Each option in lower case, and its values; an option that may be given often has several."""


def own_home() -> str:
    """Return the account's own home, whatever HOME is; the root folder where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


def evaluated(
    server: Server, environment: Mapping[str, str], home: Path, *, may_run: bool
) -> Options:
    """Return the options for a server.

    Args:
        server: The server.
        environment: The caller's.
        home: The home that has the user's own configuration.
        may_run: Whether an ssh_config that the project names may run programs.

    Raises:
        UsageError: ssh rejects the configuration.
    """
    moved = home != Path(own_home())
    file = home / ".ssh" / "config"
    argv = ["ssh", "-G"]
    text = b""
    if server.config:
        if server.config != ("none",):
            text = configuration(server.config, home, Path.cwd(), may_run=may_run)
        argv += ["-F", "none" if server.config == ("none",) else "/dev/stdin"]
    elif moved:  # ssh looks at the account's own home, whatever HOME is
        argv += ["-F", str(file) if file.exists() else "none"]
    if server.user:
        argv += ["-l", server.user]
    if server.port != SSH_PORT:
        argv += ["-p", str(server.port)]
    try:
        done = run(
            (*argv, "--", server.address),
            environment,
            stdin=text,
            timeout=_SECONDS,
        )
    except EngineError:
        return _without_ssh(server, file)
    if done.code and _NAMELESS in done.stderr:  # ssh wants a user that has a name
        return _without_ssh(server, file)
    if done.code:
        said = bounded(done.stderr.splitlines()[-1]) if done.stderr else "no reason given."
        named = ", ".join(server.config) or str(file)
        raise UsageError(
            f"ssh rejects its configuration for {server.address}: "
            # several are given to ssh as one, so that the number of a line says nothing
            f"{said.replace('/dev/stdin', named) if len(server.config) == 1 else said}",
            f"Correct {named}.",
        )
    return _parsed(done.stdout.decode(errors="replace"), home if moved else None)


def _parsed(text: str, home: Path | None) -> Options:
    """Read what `ssh -G` prints; with a home, the account's own in paths is that one."""
    own = own_home()

    def moved(name: str) -> str:
        inside = home and name.startswith(f"{own}/")
        return f"{home}{name.removeprefix(own)}" if inside else name

    options: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key in _SEVERAL:
            options[key] = (*options.get(key, ()), value)
        elif key.endswith("knownhostsfile"):
            options[key] = tuple(map(moved, value.split()))
        else:
            options.setdefault(key, (moved(value) if key == "identityagent" else value,))
    return options


def _without_ssh(server: Server, file: Path) -> Options:
    if not file.exists():
        return {}
    try:
        text = read_given(file).decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", f"Correct {file}.") from None
    found = look_up(text, file, server.address)
    listed = {
        key: tuple(value) if isinstance(value, list) else (value,) for key, value in found.items()
    }
    if server.port != SSH_PORT:
        listed["port"] = (str(server.port),)
    return listed
