"""How to connect to a server: the target, keys and limits, from its entry and ssh_config(5)."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.secret import Secret
from dockless.model.server import SSH_PORT, Server
from dockless.model.typed_server import is_host_name, is_user_name, parse_host
from dockless.ssh.config_lookup import own_name
from dockless.ssh.config_tokens import Names, expanded, with_variables
from dockless.ssh.project_config import ALLOW, VARIABLE
from dockless.ssh.ssh_program import Options, evaluated, own_home

_DEFAULT_KEYS = ("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519")
_DEFAULT_KNOWN = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_SYSTEM_KNOWN = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_CONNECT_SECONDS = 15.0
_ALIVE_SECONDS = 15
_LONGEST_CHAIN = 8
_PROMPTS = 3
_RSA_BITS = 1024
_METHODS = ("publickey", "keyboard-interactive", "password")
"""The methods that there are, in OpenSSH's order."""

Strictness = Literal["ask", "yes", "accept-new", "no"]
_STRICTNESS: Mapping[str, Strictness] = {
    "yes": "yes", "true": "yes", "accept-new": "accept-new", "no": "no", "off": "no", "false": "no",
}  # fmt: skip


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
        certificates: The files of certificates to offer before keys.
        key_algorithms: The signatures that keys may make, in this order; nothing for the usual.
        rsa_bits: The least length of an RSA key.
        methods: The methods of logging in that are allowed, in this order.
        prompts: How often a password is asked for.
        host_algorithms: The host keys and signatures that are asked for, in this order; nothing for
            the usual.
        ca_algorithms: The signatures that an authority may make; nothing for the usual.
        strictness: What happens with host keys that are not known.
        revoked: The file of keys that are revoked; None for none.
        known_command: The program that prints lines of known_hosts, with its arguments, in which
            tokens of the question itself still stand; nothing for none.
        tokens: What the tokens in it stand for, but for those of the question.
        has_alias: Whether `known_as` is a HostKeyAlias.
        is_own: Whether its key is not looked at, as it is this machine.
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
    certificates: tuple[Path, ...] = ()
    key_algorithms: tuple[str, ...] = ()
    rsa_bits: int = _RSA_BITS
    methods: tuple[str, ...] = _METHODS
    prompts: int = _PROMPTS
    host_algorithms: tuple[str, ...] = ()
    ca_algorithms: tuple[str, ...] = ()
    strictness: Strictness = "ask"
    revoked: Path | None = None
    known_command: tuple[str, ...] = ()
    tokens: Mapping[str, str] = {}
    has_alias: bool = False
    is_own: bool = False
    connect_seconds: float = _CONNECT_SECONDS
    alive_seconds: int = _ALIVE_SECONDS

    @property
    def command(self) -> str:
        """The command that does the same, to be typed."""
        port = "" if self.port == SSH_PORT else f" -p {self.port}"
        return f"ssh {self.user}@{self.address}{port}"


def find_route(server: Server, environment: Mapping[str, str], *, may_run: bool = False) -> Route:
    """Return the route to a server; the server's own entry takes precedence over ssh_config.

    Args:
        server: The server.
        environment: The caller's.
        may_run: Whether an ssh_config that the project names may run programs.

    Raises:
        UsageError: ssh rejects the configuration, or its values cannot be used.
    """
    home = Path(environment.get("HOME") or own_home())
    _check_names(server, server.address, server.user)
    options = evaluated(server, environment, home, may_run=may_run)
    tokens = _names(server, options, home).tokens()
    _check_names(server, tokens["h"], tokens["r"])
    values = _Values(options=options, tokens=tokens, environment=environment, home=home)
    alias = expanded(_one(options, "hostkeyalias", ""), tokens)
    address, port = tokens["h"], int(tokens["p"])
    own_keys = tuple(values.path(key) for key in server.keys)
    command, jumps = _through(server, options, may_run=may_run)
    return Route(
        name=server.address,
        address=address,
        port=port,
        user=tokens["r"],
        known_as=alias or (address if port == SSH_PORT else f"[{address}]:{port}"),
        identities=(
            *own_keys,
            *(() if server.keys_only else values.files("identityfile", _DEFAULT_KEYS)),
        ),
        key_data=server.key_data,
        identities_only=server.keys_only or _is_on(options, "identitiesonly", "no"),
        agent=values.agent(),
        known_hosts=values.files("userknownhostsfile", _DEFAULT_KNOWN),
        system_known_hosts=values.files("globalknownhostsfile", _SYSTEM_KNOWN),
        hashes=_is_on(options, "hashknownhosts", "no"),
        jumps=jumps,
        proxy_command=expanded(command, tokens),
        certificates=() if server.keys_only else values.files("certificatefile", ()),
        key_algorithms=_listed(options, "pubkeyacceptedalgorithms"),
        rsa_bits=int(_seconds(_one(options, "requiredrsasize", ""), _RSA_BITS)),
        methods=_methods(options),
        prompts=int(_seconds(_one(options, "numberofpasswordprompts", ""), _PROMPTS)),
        host_algorithms=_listed(options, "hostkeyalgorithms"),
        ca_algorithms=_listed(options, "casignaturealgorithms"),
        strictness=_strictness(options),
        revoked=next(iter(values.files("revokedhostkeys", ())), None),
        known_command=values.program("knownhostscommand"),
        tokens=tokens,
        has_alias=bool(alias),
        is_own=_is_on(options, "nohostauthenticationforlocalhost", "no")
        and address in ("localhost", "127.0.0.1", "::1"),
        connect_seconds=_seconds(_one(options, "connecttimeout", ""), _CONNECT_SECONDS),
        alive_seconds=int(_seconds(_one(options, "serveraliveinterval", "0"), 0)) or _ALIVE_SECONDS,
    )


class _Values(Struct, frozen=True, kw_only=True):
    """The values of options, with what their tokens and variables stand for."""

    options: Options
    tokens: Mapping[str, str]
    environment: Mapping[str, str]
    home: Path

    def files(self, key: str, fallback: tuple[str, ...]) -> tuple[Path, ...]:
        named = [name for name in self.options.get(key, fallback) if name.lower() != "none"]
        return tuple(map(self.path, named))

    def path(self, name: str) -> Path:
        text = expanded(self._filled(name), self.tokens)
        # what follows `~/` is never a path of its own, as of a variable
        return self.home / text[2:].lstrip("/") if text.startswith("~/") else Path(text)

    def agent(self) -> str:
        named = _one(self.options, "identityagent", "SSH_AUTH_SOCK")
        if named.lower() == "none":
            return ""
        if named == "SSH_AUTH_SOCK":
            return self.environment.get("SSH_AUTH_SOCK", "")
        if named.startswith("$") and not named.startswith("${"):
            return self.environment.get(named[1:], "")
        return str(self.path(named))

    def program(self, key: str) -> tuple[str, ...]:
        """Return a program and its arguments; tokens are replaced when it is run."""
        named = _one(self.options, key, "none")
        return () if named.lower() == "none" else tuple(shlex.split(self._filled(named)))

    def _filled(self, text: str) -> str:
        try:
            return with_variables(text, self.environment)
        except KeyError as error:
            raise UsageError(
                f"ssh_config names the variable {error.args[0]}, which is not set.",
                "Set it, or correct ~/.ssh/config.",
            ) from None


def _names(server: Server, options: Options, home: Path) -> Names:
    address = _one(options, "hostname", server.address)
    port = _one(options, "port", str(server.port))
    jump = _one(options, "proxyjump", "none")
    made = Names(
        given=server.address,
        address=address,
        port=port,
        user=server.user or _one(options, "user", own_name()),
        known_as=server.address,
        jump="" if jump.lower() == "none" else jump,
        home=str(home),
        account=own_name(),
        uid=os.getuid(),
    )
    alias = expanded(_one(options, "hostkeyalias", ""), made.tokens())
    return replace(made, known_as=alias or server.address)


def _strictness(options: Options) -> Strictness:
    wanted = _STRICTNESS.get(_one(options, "stricthostkeychecking", ""), "ask")
    return "yes" if wanted == "ask" and _is_on(options, "batchmode", "no") else wanted


def _methods(options: Options) -> tuple[str, ...]:
    """Return the methods that are allowed, in the order that is preferred."""
    batch = _is_on(options, "batchmode", "no")
    is_on = {
        # `unbound` and `host-bound` are yes, too
        "publickey": _one(options, "pubkeyauthentication", "yes").lower() not in ("no", "false"),
        "keyboard-interactive": _is_on(options, "kbdinteractiveauthentication", "yes"),
        "password": _is_on(options, "passwordauthentication", "yes"),
    }
    preferred = _listed(options, "preferredauthentications") or _METHODS
    typed = ("keyboard-interactive", "password")
    return tuple(name for name in preferred if is_on.get(name) and not (batch and name in typed))


def _listed(options: Options, key: str) -> tuple[str, ...]:
    found = _one(options, key, "")
    # without ssh's own list, what is added to it or taken from it cannot be worked out
    return () if found[:1] in ("+", "-", "^", "") else tuple(found.split(","))


def _is_on(options: Options, key: str, fallback: str) -> bool:
    return _one(options, key, fallback).lower() in ("yes", "true")


def _check_names(server: Server, host: str, user: str) -> None:
    """See that a shell takes the names for no more than names: it runs a ProxyCommand with them.

    Raises:
        UsageError: One has characters that OpenSSH does not accept.
    """
    key, name = "HostName", host
    if is_host_name(host):
        if is_user_name(user):
            return
        key, name = "User", user
    typed = name in (server.address, server.user)
    source = f"The host {server}" if typed else ", ".join(server.config) or "~/.ssh/config"
    raise UsageError(
        f"{source} has a {key} with characters that ssh does not accept: {name!r}.",
        "Correct it there.",
    )


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


def _one(options: Options, key: str, fallback: str) -> str:
    return next(iter(options.get(key, ())), fallback)


def _seconds(text: str, fallback: float) -> float:
    return float(text) if text.isdecimal() else fallback
