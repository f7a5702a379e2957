"""A connection to the registry through this machine, for hosts without one.

The host's engine uses a port of its own loopback, which the SSH connection forwards here. To the
engine it is an HTTP proxy (RFC 9110, CONNECT), so TLS stays between engine and registry; only
the registry and its token service can be reached through it.
"""

import contextlib
import socket
from collections.abc import Callable, Collection, Iterator
from functools import partial

import paramiko

from dockless.errors import EngineError, HostLostError
from dockless.model.endpoint import Endpoint, is_loopback
from dockless.model.host import RegistryThere
from dockless.oci.reference import DOCKER_HUB, DOCKER_HUB_HOSTS
from dockless.ssh.executor import BROKEN, RemoteShell
from dockless.ssh.reach import address
from dockless.threads import NO_THREAD, DaemonThread

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 15.0
_LOOK_SECONDS = 0.5
_LONGEST_HEAD = 16 * 1024
_LOOPBACK = "127.0.0.1"
_HTTPS = 443

HostPort = tuple[str, int]
_Accept = Callable[[paramiko.Channel, object, object], None]


@contextlib.contextmanager
def tunnel(
    shell: RemoteShell, allowed: Collection[HostPort], port: int = 0, *, fixed: bool = False
) -> Iterator[int]:
    """Yield a port of the host's loopback, which leads here; it is closed with the block.

    Args:
        shell: The host.
        allowed: The hosts and ports that may be reached.
        port: The port to open there, which then leads to the first of them as it is; 0 for any,
            which is an HTTP proxy.
        fixed: Whether no other port will do where that one is taken.

    Raises:
        EngineError: The host's sshd does not allow it, or that port is taken.
    """
    direct = next(iter(allowed)) if port else None

    def accept(channel: paramiko.Channel, origin: object, server: object) -> None:
        del origin, server
        try:
            DaemonThread(partial(_serve, channel, frozenset(allowed), direct))
        except NO_THREAD:
            channel.close()

    opened = _opened(shell, port, accept) or (port and _opened(shell, 0, accept))
    if not opened:
        raise EngineError(
            f"The SSH server of {shell.host} allows no reverse forwarding.",
            "Allow it with `AllowTcpForwarding yes` there, or push with --via relay.",
        )
    try:
        if fixed and opened != port:
            raise EngineError(
                f"Port {port} of {shell.host}, where its engine would look for the registry, "
                "is taken there.",
                "End what listens there, or push with --via relay.",
            )
        yield opened
    finally:
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            shell.transport.cancel_port_forward(_LOOPBACK, opened)


def _opened(shell: RemoteShell, port: int, accept: _Accept) -> int:
    """Return the port that the host forwards; 0 where it refuses, of which sshd gives no reason."""
    try:
        return shell.transport.request_port_forward(_LOOPBACK, port, accept)
    except paramiko.SSHException:
        if not shell.transport.is_active():
            raise HostLostError(f"The connection to {shell.host} broke.") from None
        return 0


@contextlib.contextmanager
def registry_tunnel(shell: RemoteShell, endpoint: Endpoint, engine: str) -> Iterator[RegistryThere]:
    """Open a tunnel to a registry; yield how an engine on the host reaches it.

    Args:
        shell: The host.
        endpoint: The registry.
        engine: The engine. Where the port of a registry on loopback is taken there, another is
            opened for crane alone: skopeo would show its login to what has that port, if the
            registry sent it there.

    Raises:
        EngineError: The host's sshd does not allow it, or the port is taken there.
    """
    name, port = address(endpoint)
    if is_loopback(endpoint.host):
        # engines go to loopback without a proxy, so the very port is opened there
        with tunnel(shell, [(name, port)], port, fixed=engine != "crane") as opened:
            moved = f"[{name}]:{opened}" if ":" in name else f"{name}:{opened}"
            yield RegistryThere(host="" if opened == port else moved)
        return
    allowed = [(name, port)]
    if endpoint.host == DOCKER_HUB:
        allowed += [(alias, _HTTPS) for alias in DOCKER_HUB_HOSTS - {DOCKER_HUB}]
    with tunnel(shell, allowed) as opened:
        url = f"http://{_LOOPBACK}:{opened}"
        names = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
        variables = dict.fromkeys(names, url) | {"NO_PROXY": "", "no_proxy": ""}
        yield RegistryThere(environment=variables)


def _serve(
    channel: paramiko.Channel, allowed: frozenset[HostPort], direct: HostPort | None
) -> None:
    with contextlib.closing(channel), contextlib.suppress(*BROKEN, OSError, ValueError, *NO_THREAD):
        if direct:
            with socket.create_connection(direct, _CONNECT_SECONDS) as out:
                _join(channel, out)
            return
        head = _head(channel)
        method, target = head.split(b" ", 2)[:2]
        place = _place(method, target.decode("ascii"))
        if place not in allowed:
            channel.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(place, _CONNECT_SECONDS) as out:
            if method == b"CONNECT":
                channel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                out.sendall(head.partition(b"\r\n\r\n")[2])
            else:  # plain HTTP: a server takes the absolute form, too (RFC 9112, 3.2.2)
                out.sendall(head)
            _join(channel, out)


def _head(channel: paramiko.Channel) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = channel.recv(_CHUNK)
        head += data
        if not data or len(head) > _LONGEST_HEAD + _CHUNK:
            raise ValueError("no HTTP request")
    return head


def _place(method: bytes, target: str) -> HostPort:
    rest = target if method == b"CONNECT" else target.removeprefix("http://").partition("/")[0]
    host, colon, port = rest.rpartition(":")
    if not colon:
        host, port = rest, "80"
    return host.strip("[]").lower(), int(port)


def _join(channel: paramiko.Channel, out: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    out.settimeout(None)

    def back() -> None:
        with contextlib.suppress(*BROKEN, OSError):
            while data := out.recv(_CHUNK):
                channel.sendall(data)
        with contextlib.suppress(*BROKEN, OSError):
            channel.shutdown_write()

    answering = DaemonThread(back)
    while data := channel.recv(_CHUNK):
        out.sendall(data)
    with contextlib.suppress(OSError):
        out.shutdown(socket.SHUT_WR)
    while answering.is_alive() and not channel.closed:
        answering.join(_LOOK_SECONDS)
    with contextlib.suppress(OSError):
        out.shutdown(socket.SHUT_RDWR)  # ends a pending read
