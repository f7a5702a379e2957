"""A relay in front of Docker's socket: it notes what is asked, and can be slow or break off."""

import contextlib
import socket
import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PIECE = 1 << 19
_REQUEST_BYTES = 4096


@dataclass(slots=True)
class Tap:
    """The relay.

    Attributes:
        daemon: The socket that it leads to.
        path: Where it listens.
        pause: Seconds between two pieces of an answer, of half a MiB.
        most: Bytes of an image after which it breaks off, headers included; None for never.
        lingers: Seconds for which it does not end an image's answer, unless the client goes.
        left: Whether the client went then.
        asked: The target of every request so far.
    """

    daemon: Path
    path: Path
    pause: float = 0.0
    most: int | None = None
    lingers: float = 0.0
    left: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """What `DOCKER_HOST` must be to use it."""
        return f"unix://{self.path}"

    @property
    def saves(self) -> int:
        """How often an image was asked for."""
        return sum(target.endswith("/get") for target in self.asked)

    def serve(self, client: socket.socket) -> None:
        """Pass one request on, and the answer back."""
        request = client.recv(_REQUEST_BYTES)
        target = request.split()[1].decode()
        self.asked.append(target)
        most = self.most if target.endswith("/get") else None
        with socket.socket(socket.AF_UNIX) as there:
            there.connect(str(self.daemon))
            there.sendall(request)
            sent = 0
            while piece := there.recv(_PIECE):
                piece = piece[: None if most is None else most - sent]
                if not piece:
                    return
                client.sendall(piece)
                sent += len(piece)
                time.sleep(self.pause)
        if self.lingers and target.endswith("/get"):
            client.settimeout(self.lingers)
            self.left = not client.recv(1)


@contextlib.contextmanager
def tap(daemon: Path) -> Iterator[Tap]:
    """Run a relay to a daemon's socket for as long as the block lasts."""
    folder = tempfile.TemporaryDirectory(prefix="tap-")  # the path of a socket has to be short
    relay = Tap(daemon, Path(folder.name, "docker.sock"))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                relay.serve(self.request)

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with folder, Server(str(relay.path), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield relay
        finally:
            server.shutdown()
