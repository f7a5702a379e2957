"""SSH connections: made through jump hosts or a proxy, to hosts whose keys are known."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from msgspec import Struct

from dockless.errors import AuthError, DocklessError, HostLostError, NetworkError
from dockless.model.reasons import clean, reason
from dockless.model.server import SSH_PORT, Server
from dockless.processes.program_socket import ProxySocket
from dockless.ssh import known_hosts
from dockless.ssh.config import Route
from dockless.ssh.keys import KeyRing
from dockless.ssh.known_hosts import HostKey
from dockless.ssh.login import Ask, HostLogin, ask_nobody
from dockless.ssh.userauth import UserAuth

_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)

# the signatures that a key may make, where they have other names than the key
_SIGNED_WITH = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class Ssh(Struct, frozen=True, kw_only=True):
    """How connections are made.

    Attributes:
        find_route: Finds the route to a server.
        keys: What to offer.
        accept_new: Whether an unknown host's key is added to known_hosts.
        note: Called with a line for every key that was added.
        ask: Gives passwords, and answers to what hosts ask for.
    """

    find_route: Callable[[Server], Route]
    keys: KeyRing
    accept_new: bool
    note: Callable[[str], None]
    ask: Ask = ask_nobody


@contextlib.contextmanager
def connect(server: Server, ssh: Ssh) -> Iterator[paramiko.Transport]:
    """Yield a connection that is logged in; it is closed with the block.

    Raises:
        AuthError: The host's key is not known or has changed, or the host accepts none of our keys.
        NetworkError: The host cannot be reached.
    """
    route = ssh.find_route(server)
    with contextlib.ExitStack() as stack:
        before: paramiko.Transport | None = None
        for hop in route.jumps:
            before = stack.enter_context(_through(ssh.find_route(hop), ssh, before))
        yield stack.enter_context(_through(route, ssh, before))


@contextlib.contextmanager
def _through(
    route: Route, ssh: Ssh, before: paramiko.Transport | None
) -> Iterator[paramiko.Transport]:
    with _reaching(route), contextlib.ExitStack() as opening:
        wire = opening.enter_context(contextlib.closing(_wire(route, before)))
        # paramiko's own window of 2 MiB: with a larger one, sshd moves a third as much
        transport = paramiko.Transport(wire)  # type: ignore[arg-type] # it need only send and receive
        opening.callback(transport.close)
        _greet(transport, route, ssh)
        _log_in(transport, route, ssh)
        transport.set_keepalive(route.alive_seconds)
        opened = opening.pop_all()
    with opened:
        yield transport


def _wire(
    route: Route, before: paramiko.Transport | None
) -> "socket.socket | paramiko.Channel | ProxySocket":
    if before is not None:
        return before.open_channel(
            "direct-tcpip",
            (route.address, route.port),
            ("127.0.0.1", 0),
            timeout=route.connect_seconds,
        )
    if route.proxy_command:
        return ProxySocket(route.proxy_command)
    wire = socket.create_connection((route.address, route.port), route.connect_seconds)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def _greet(transport: paramiko.Transport, route: Route, ssh: Ssh) -> None:
    """Exchange keys, and verify the host's key."""
    security = transport.get_security_options()
    security.ciphers = [cipher for cipher in _CIPHERS if cipher in security.ciphers]
    known = known_hosts.read((*route.known_hosts, *route.system_known_hosts))
    wanted = _algorithms(known_hosts.kinds(known, route.known_as))
    # a host is asked for the key that we know of it, not for another one that it has, too
    security.key_types = sorted(security.key_types, key=lambda kind: kind not in wanted)
    transport.banner_timeout = transport.handshake_timeout = route.connect_seconds
    transport.auth_timeout = route.connect_seconds
    transport.start_client(timeout=route.connect_seconds)
    shown = transport.get_remote_server_key()
    key = HostKey(shown.get_name(), shown.asbytes())
    verdict = known_hosts.judge(known, route.known_as, key)
    if verdict == "unknown" and ssh.accept_new and route.known_hosts:
        with _ADDING:
            known_hosts.add(route.known_hosts[0], route.known_as, key, hashed=route.hashes)
        ssh.note(f"{route.name}: added its {key.kind} key {key.fingerprint} to known_hosts")
    elif verdict != "known":
        raise _refusal(verdict, route, key)


_ADDING = threading.Lock()


def _algorithms(kinds: tuple[str, ...]) -> set[str]:
    return {name for kind in kinds for name in _SIGNED_WITH.get(kind, (kind,))}


def _refusal(verdict: str, route: Route, key: HostKey) -> AuthError:
    file = route.known_hosts[0] if route.known_hosts else Path("~/.ssh/known_hosts")
    shown = f"{key.kind} {key.fingerprint}"
    port = f"-p {route.port} " if route.port != SSH_PORT else ""
    if verdict == "unknown":
        return AuthError(
            f"The host key of {route.name} is not known: {shown}.",
            f"Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_{_stem(key.kind)}_key.pub` there; "
            f"then add it with `ssh-keyscan -t {_stem(key.kind)} {port}{route.address} >> {file}`, "
            f"or push with --accept-new-host-keys.",
        )
    if verdict == "revoked":
        return AuthError(
            f"The host key of {route.name} is revoked in known_hosts: {shown}.",
            "Do not trust this host.",
        )
    return AuthError(
        f"The host key of {route.name} has changed: it is {shown} now. "
        "Someone may be impersonating this host.",
        f"If its administrator says that the new key is right, run "
        f"`ssh-keygen -R '{route.known_as}' -f {file}` and add the new one.",
    )


def _stem(kind: str) -> str:
    return "ecdsa" if kind.startswith("ecdsa") else kind.removeprefix("ssh-")


def _log_in(transport: paramiko.Transport, route: Route, ssh: Ssh) -> None:
    """Log in to a host whose key is verified."""
    try:
        HostLogin(UserAuth(transport, route.user), route, ssh.keys, ssh.ask).run()
    except EOFError:
        raise _unreachable(route, "the connection ended during the login") from None


@contextlib.contextmanager
def _reaching(route: Route) -> Iterator[None]:
    where = f"{route.address}:{route.port}"
    try:
        yield
    except DocklessError:
        raise
    except TimeoutError:
        raise _unreachable(route, f"{where} does not respond") from None
    except socket.gaierror:
        raise NetworkError(
            f"There is no host {route.address}: its name cannot be resolved.",
            "Check the name, and ~/.ssh/config.",
            passing=False,
        ) from None
    except paramiko.ChannelException as error:
        said = clean(error.text) or "the connection was refused"
        raise _unreachable(route, f"the jump host cannot reach it ({said})") from None
    except (paramiko.SSHException, EOFError) as error:
        raise _unreachable(route, f"{where} SSH negotiation failed ({_words(error)})") from None
    except OSError as error:
        raise _unreachable(route, reason(error)) from None


def _words(error: Exception) -> str:
    said = str(error).splitlines()
    return (clean(said[0]) if said else "") or "it closed the connection"


def _unreachable(route: Route, why: str) -> HostLostError:
    return HostLostError(
        f"{route.name} cannot be reached: {why[:1].lower()}{why[1:]}.",
        f"See whether `ssh {route.user}@{route.address} -p {route.port}` works.",
    )
