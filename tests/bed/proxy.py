"""A proxy that takes names which do not resolve here to servers on loopback."""

import contextlib
import selectors
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from bed.serving import serving

_BLOCK = 1 << 16


@dataclass
class ConnectProxy:
    """A proxy that is running.

    Attributes:
        url: What `HTTPS_PROXY` has to say.
        asked: Every `host:port` that was asked for.
        authorizations: The Proxy-Authorization header of every request, empty where it had none.
    """

    url: str
    asked: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def connect_proxy(routes: Mapping[str, str]) -> Iterator[ConnectProxy]:
    """Run an HTTP proxy with CONNECT on loopback for as long as the block lasts.

    Args:
        routes: Where each `host:port` leads, as `127.0.0.1:port`; others are refused.
    """

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            first = self.rfile.readline().decode()
            if not first:  # somebody only saw whether a proxy listens here
                return
            method, name, *_ = first.split()
            headers = dict(
                line.lower().split(": ", 1)
                for line in iter(lambda: self.rfile.readline().decode().rstrip(), "")
            )
            proxy.asked.append(name)
            proxy.authorizations.append(headers.get("proxy-authorization", ""))
            if method != "CONNECT" or name not in routes:
                self.wfile.write(b"HTTP/1.1 502 No Route\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = routes[name].partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                _join(self.connection, upstream)

    server = _Server(("127.0.0.1", 0), Handler)
    proxy = ConnectProxy(f"http://127.0.0.1:{server.server_address[1]}")
    with serving(server):
        yield proxy


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side closes."""
    with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(_BLOCK)  # type: ignore[union-attr] # only sockets are in it
                if not data:
                    return
                key.data.sendall(data)
