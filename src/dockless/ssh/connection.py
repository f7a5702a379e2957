"""SSH connections: made through jump hosts or a proxy, to hosts whose keys are known."""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator

import paramiko
from msgspec import Struct

from dockless.errors import DocklessError, HostLostError, NetworkError
from dockless.model.reasons import clean, reason
from dockless.model.server import Server
from dockless.processes.program_socket import ProxySocket
from dockless.ssh.config import Route
from dockless.ssh.host_transport import HostTransport, algorithms
from dockless.ssh.host_trust import HostTrust
from dockless.ssh.keys import KeyFiles
from dockless.ssh.login import Ask, HostLogin, ask_nobody
from dockless.ssh.userauth import UserAuth

_NO_BANNER = "Error reading SSH protocol banner"

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class Ssh(Struct, frozen=True, kw_only=True):
    """How connections are made.

    Attributes:
        find_route: Finds the route to a server.
        keys: What to offer.
        accept_new: Whether an unknown host's key is added to known_hosts.
        note: Called with a line for every key that was added.
        ask: Gives passwords, answers to what hosts ask for, and whether a host's key is right.
    """

    find_route: Callable[[Server], Route]
    keys: KeyFiles
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
        trust = HostTrust(route, ssh.note, ssh.ask, accept_new=ssh.accept_new)
        wanted = algorithms(route.host_algorithms, trust.kinds, has_authority=trust.has_authority)
        transport = HostTransport(wire, wanted)
        opening.callback(transport.close)
        transport.banner_timeout = transport.handshake_timeout = route.connect_seconds
        transport.auth_timeout = route.connect_seconds
        transport.start_client(timeout=route.connect_seconds)
        if not transport.shown:  # paramiko says nothing when the time is over
            raise TimeoutError
        trust.check(transport.shown)
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
        raise _unreachable(route, _negotiation(where, str(error))) from None
    except OSError as error:
        raise _unreachable(route, reason(error)) from None


def _negotiation(where: str, words: str) -> str:
    """Return why SSH could not be spoken, of what paramiko says."""
    _, banner, why = words.partition(_NO_BANNER)
    if banner and not why:
        return f"{where} accepts the connection and does not speak SSH"
    if "no acceptable host key" in words:
        return f"{where} has no host key of a kind that ssh_config allows (HostKeyAlgorithms)"
    said = (why or words).splitlines()
    told = (clean(said[0]) if said else "") or "it closed the connection"
    return told if why else f"{where} SSH negotiation failed ({told})"


def _unreachable(route: Route, why: str) -> HostLostError:
    return HostLostError(
        f"{route.name} cannot be reached: {why[:1].lower()}{why[1:]}.",
        f"See whether `{route.command}` works.",
    )
