"""How to connect to a server: ssh_config(5), as evaluated by OpenSSH itself.

`ssh -G` tells what OpenSSH would do, with every Include and Match. Without an ssh
program, paramiko reads the user's file, without these two.
"""

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from dockless.errors import EngineError, UsageError
from dockless.model.printable import bounded
from dockless.model.secret import Secret
from dockless.model.server import SSH_PORT, Server
from dockless.model.typed_server import is_host_name, is_user_name, parse_host
from dockless.processes.regular import read_given
from dockless.processes.run import run
from dockless.ssh.config_lookup import look_up, own_name
from dockless.ssh.project_config import ALLOW, VARIABLE, configuration

_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_DEFAULT_KNOWN = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_SYSTEM_KNOWN = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_CONNECT_SECONDS = 15.0
_ALIVE_SECONDS = 15
_LONGEST_CHAIN = 8
_NAMELESS = "No user exists for uid"
Options = Mapping[str, tuple[str, ...]]


class Route(Struct, frozen=True, kw_only=True):
    """The target and the parameters of a connection.

    Attributes:
        name: The host as it was asked for.
        address: The host to connect to.
        port: Its TCP port.
        user: The account there.
        known_as: The name under which its key is known; the port counts unless it is an alias.
        identities: The private key files to offer, in this order.
        key_data: Private keys to offer after these, each itself or the name of a secret.
        identities_only: Whether the agent may offer no other key.
        agent: The agent's socket; empty for none.
        known_hosts: The user's files of known keys; the first one takes new ones.
        system_known_hosts: The system's.
        hashes: Whether new names are written hashed.
        jumps: The servers to go through, the nearest first.
        proxy_command: What to speak through instead of TCP; empty for none.
        connect_seconds: How long to wait for the connection.
        alive_seconds: How often to ask for a sign of life.
    """

    name: str
    address: str
    port: int
    user: str
    known_as: str
    identities: tuple[Path, ...]
    key_data: tuple[Secret, ...] = ()
    identities_only: bool
    agent: str
    known_hosts: tuple[Path, ...]
    system_known_hosts: tuple[Path, ...]
    hashes: bool = False
    jumps: tuple[Server, ...] = ()
    proxy_command: str = ""
    connect_seconds: float = _CONNECT_SECONDS
    alive_seconds: int = _ALIVE_SECONDS


def find_route(server: Server, environment: Mapping[str, str], *, may_run: bool = False) -> Route:
    """Return the route to a server; the server's own entry takes precedence over ssh_config.

    Args:
        server: The server.
        environment: The caller's.
        may_run: Whether an ssh_config that the project names may run programs.

    Raises:
        UsageError: ssh rejects the configuration, or its values cannot be used.
    """
    home = Path(environment.get("HOME") or _own_home())
    _check_names(server, server.address, server.user)
    options = _options(server, environment, home, may_run=may_run)
    tokens = {
        "%": "%",
        "d": str(home),
        "h": _one(options, "hostname", server.address),
        "n": server.address,
        "p": _one(options, "port", str(server.port)),
        "r": server.user or _one(options, "user", own_name()),
        "u": own_name(),
    }
    _check_names(server, tokens["h"], tokens["r"])

    def files(key: str, fallback: tuple[str, ...]) -> tuple[Path, ...]:
        named = [name for name in options.get(key, fallback) if name.lower() != "none"]
        return tuple(_path(_expanded(name, tokens), home) for name in named)

    alias = _one(options, "hostkeyalias", "")
    port = int(tokens["p"])
    own_keys = tuple(_path(key, home) for key in server.keys)
    command, jumps = _through(server, options, may_run=may_run)
    return Route(
        name=server.address,
        address=tokens["h"],
        port=port,
        user=tokens["r"],
        known_as=alias or (tokens["h"] if port == SSH_PORT else f"[{tokens['h']}]:{port}"),
        identities=(*own_keys, *(() if server.keys_only else files("identityfile", _DEFAULT_KEYS))),
        key_data=server.key_data,
        identities_only=server.keys_only
        or _one(options, "identitiesonly", "no") in ("yes", "true"),
        agent=_agent(options, environment),
        known_hosts=files("userknownhostsfile", _DEFAULT_KNOWN),
        system_known_hosts=files("globalknownhostsfile", _SYSTEM_KNOWN),
        hashes=_one(options, "hashknownhosts", "no") == "yes",
        jumps=jumps,
        proxy_command=_expanded(command, tokens),
        connect_seconds=_seconds(_one(options, "connecttimeout", ""), _CONNECT_SECONDS),
        alive_seconds=int(_seconds(_one(options, "serveraliveinterval", "0"), 0)) or _ALIVE_SECONDS,
    )


def _check_names(server: Server, host: str, user: str) -> None:
    """See that a shell takes the names for no more than names: it runs a ProxyCommand with them.

    Raises:
        UsageError: One has characters that OpenSSH does not accept.
    """
    odd = {
        key: name
        for key, name, is_accepted in (
            ("HostName", host, is_host_name),
            ("User", user, is_user_name),
        )
        if not is_accepted(name)
    }
    if not odd:
        return
    key, name = next(iter(odd.items()))
    typed = name in (server.address, server.user)
    source = f"The host {server}" if typed else ", ".join(server.config) or "~/.ssh/config"
    raise UsageError(
        f"{source} has a {key} with characters that ssh does not accept: {name!r}.",
        "Correct it there.",
    )


def _own_home() -> str:
    """Return the account's own home, whatever HOME is; the root folder where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


def _options(
    server: Server, environment: Mapping[str, str], home: Path, *, may_run: bool
) -> Options:
    moved = home != Path(_own_home())
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
            timeout=_CONNECT_SECONDS,
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
    own = _own_home()
    options: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "identityfile":
            options[key] = (*options.get(key, ()), value)
        elif key.endswith("knownhostsfile"):
            named = (
                f"{home}{name.removeprefix(own)}" if home and name.startswith(f"{own}/") else name
                for name in value.split()
            )
            options[key] = tuple(named)
        else:
            options.setdefault(key, (value,))
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


def _through(server: Server, options: Options, *, may_run: bool) -> tuple[str, tuple[Server, ...]]:
    if server.proxy:
        return "", (parse_host(server.proxy, "The proxy"),)
    if server.proxy_command:
        if not may_run:
            raise UsageError(
                f"`ssh.proxy_command` of the project would run a program to reach "
                f"{server.address}.",
                f"Check it; if that is intended, allow it with {ALLOW} or {VARIABLE}=1.",
            )
        return server.proxy_command, ()
    command = _one(options, "proxycommand", "none")
    jump = _one(options, "proxyjump", "none")
    if command.lower() != "none":
        return command, ()
    if jump.lower() == "none":
        return "", ()
    hops = tuple(parse_host(hop.strip(), "ProxyJump") for hop in jump.split(","))
    if len(hops) > _LONGEST_CHAIN:
        raise UsageError(f"ProxyJump of {server.address} has more than 8 hosts.")
    return "", hops


def _agent(options: Options, environment: Mapping[str, str]) -> str:
    named = _one(options, "identityagent", "SSH_AUTH_SOCK")
    if named.lower() == "none":
        return ""
    if named in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK"):
        return environment.get("SSH_AUTH_SOCK", "")
    return named


def _expanded(text: str, tokens: Mapping[str, str]) -> str:
    """Replace the %-tokens of ssh_config(5)."""

    def parts() -> Iterator[str]:
        rest = iter(text)
        for character in rest:
            if character != "%":
                yield character
            else:
                token = next(rest, "%")
                yield tokens.get(token, f"%{token}")

    return "".join(parts())


def _path(name: str, home: Path) -> Path:
    return home / name.removeprefix("~/") if name.startswith("~/") else Path(name)


def _one(options: Options, key: str, fallback: str) -> str:
    return next(iter(options.get(key, ())), fallback)


def _seconds(text: str, fallback: float) -> float:
    return float(text) if text.isdecimal() else fallback
