"""The registry of a push probe: HTTP on a loopback port, for as long as a block lasts."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from dockless.engines.probe_repository import (
    LARGEST,
    ProbeAnswer,
    ProbeRefusal,
    ProbeRepository,
    ProbeRequest,
    too_large,
)
from dockless.threads import DaemonThread

_POLL_SECONDS = 0.05
_SILENCE_SECONDS = 20.0
_LONGEST_LINE = 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\r?\n")


@contextlib.contextmanager
def registry(repository: ProbeRepository) -> Iterator[str]:
    """Serve one repository while the block lasts; yield the registry's `host:port`.

    Raises:
        OSError: No port of the loopback interface is free.
    """
    with _ProbeServer(repository) as server:
        thread = DaemonThread(server.serve)
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.stop()
            thread.join(_SILENCE_SECONDS)
            server.shut()


class _ProbeServer(HTTPServer):
    """Knows its connections, so that none of them outlasts it."""

    timeout = _POLL_SECONDS

    def __init__(self, repository: ProbeRepository) -> None:
        self.repository = repository
        self.lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[DaemonThread] = []
        self._stopped = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind the port, without the search for a host name that http.server makes."""
        self.socket.bind(self.server_address)
        self.server_address = address = self.socket.getsockname()
        self.server_name, self.server_port = address

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Take a connection in, and remember it."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def serve(self) -> None:
        """Answer until `stop`."""
        while not self._stopped.is_set():
            self.handle_request()

    def stop(self) -> None:
        """Accept no further connection; `serve` returns soon."""
        self._stopped.set()

    def process_request(self, request: object, client_address: object) -> None:
        """Serve a connection in a thread of its own."""

        def serve() -> None:
            try:
                self.finish_request(request, client_address)  # type: ignore[arg-type] # its own
            except OSError:  # a client that aborts a request is not our fault
                pass
            finally:
                self.shutdown_request(request)  # type: ignore[arg-type] # as above

        self._threads.append(DaemonThread(serve))

    def close_request(self, request: object) -> None:
        """Forget a connection that ended."""
        if isinstance(request, socket.socket):
            self._open.discard(request)
            request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client that aborts a request is not our fault."""

    def server_close(self) -> None:
        """Close the port, and wait for the connections, which are shut."""
        super().server_close()
        for thread in self._threads:
            thread.join(_SILENCE_SECONDS)

    def shut(self) -> None:
        """End every connection."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _ProbeServer
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Keep no log."""

    def answer(self) -> None:
        """Answer one request, whatever its method."""
        try:
            request = ProbeRequest(
                method=self.command,
                target=self.path,
                body=self._body(),
                content_type=self.headers.get("Content-Type", ""),
                content_range=self.headers.get("Content-Range"),
            )
        except ProbeRefusal as refusal:
            self.close_connection = True  # the rest of the body may still come
            self._send(refusal.answer)
            return
        with self.server.lock:
            answer = self.server.repository.answer(request)
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    def _send(self, answer: ProbeAnswer) -> None:
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _body(self) -> bytes:
        """Return the body, which has a declared length, or comes in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        said = self.headers.get("Content-Length", "0")
        if not said.isdecimal() or int(said) > LARGEST:
            raise too_large()
        return self._exactly(int(said))

    def _chunks(self) -> Iterator[bytes]:
        """Yield the chunks of a body (RFC 9112, 7.1)."""
        total = 0
        while True:
            line = _CHUNK_SIZE.fullmatch(self.rfile.readline(_LONGEST_LINE))
            if line is None:
                raise _cut_off("a chunk without a length")
            size = int(line[1], 16)
            total += size
            if total > LARGEST:
                raise too_large()
            yield self._exactly(size)
            if self.rfile.readline(_LONGEST_LINE).strip():
                raise _cut_off("a chunk longer than it says")
            if not size:
                return

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) != size:
            raise _cut_off(f"{len(data)} bytes of {size}")
        return data


def _cut_off(what: str) -> ProbeRefusal:
    return ProbeRefusal(HTTPStatus.BAD_REQUEST, "SIZE_INVALID", f"the body is {what}")
