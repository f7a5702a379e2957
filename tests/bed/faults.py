"""A proxy in front of a registry that makes it fail where a test wants it to.

It speaks plain HTTP on loopback, to a registry that does so too, and passes the Host header on, so
that the upload locations the registry gives out lead back through it.
"""

import contextlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bed.registry import Request
from bed.serving import serving

_BLOCK_BYTES = 1 << 16
_UPSTREAM_SECONDS = 60
_HOP_HEADERS = frozenset({"connection", "keep-alive"})
_ERROR_CODES = {
    401: "UNAUTHORIZED",
    403: "DENIED",
    404: "NAME_UNKNOWN",
    429: "TOOMANYREQUESTS",
    503: "UNAVAILABLE",
}
_GATE_SECONDS = 120
_FRAMING_HEADERS = frozenset({"transfer-encoding", "content-length"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; as a fault, it is given in place of the registry's.

    A header whose text has several lines is sent several times, once for each.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed after so many bytes of the request's body; 0 is before any."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class DropAnswer:
    """The registry does what it was asked; the connection closes in its answer's body."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing comes back until the client goes away or the proxy stops."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The request's body is read up to each of these places, and on when the test opens it there.

    A moment of an upload is held open so, however fast or slow the machine is. A small body, which
    is never that long, passes.

    Attributes:
        places: Numbers of bytes, in order.
    """

    places: tuple[int, ...]
    _opened: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def open(self) -> None:
        """Let the request go on to the next place."""
        self._opened.release()

    def leave_open(self) -> None:
        """Let this request, and those that come, go on to the end."""
        self._opened.release(1_000_000)

    def pass_through(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the blocks, waiting at each place.

        Raises:
            ConnectionError: It was not opened in time.
        """
        done, places = 0, list(self.places)
        for block in blocks:
            yield block
            done += len(block)
            while places and done >= places[0]:
                places.pop(0)
                if not self._opened.acquire(timeout=_GATE_SECONDS):
                    raise ConnectionError("the gate was not opened")


@dataclass(frozen=True, slots=True)
class Change:
    """The registry's answer is altered on its way."""

    alter: Callable[[Answer], Answer]


Effect = Answer | Drop | DropAnswer | Hang | Gate | Change


@dataclass(slots=True)
class Fault:
    """What goes wrong, for which requests, and how often.

    Attributes:
        method: The request's method.
        path: A regular expression that is searched in the request's path and query.
        effect: What happens.
        times: How many more requests it happens to.
        agent: A regular expression that is searched in the User-Agent.
        kind: A regular expression that is searched in the Content-Type of the request.
    """

    method: str
    path: str
    effect: Effect
    times: int = 1
    agent: str = ""
    kind: str = ""

    def fits(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether it happens to such a request, as far as it happens at all."""
        agent, kind = (headers.get(name, "") for name in ("User-Agent", "Content-Type"))
        same = self.method == method and bool(re.search(self.path, path))
        return same and bool(re.search(self.agent, agent)) and bool(re.search(self.kind, kind))


def status(code: int, *, retry_after: int | None = None) -> Answer:
    """Return a registry's JSON error of this status, with `Retry-After` in seconds if given.

    Its code is the one that the distribution-spec has for the status, as real registries give it:
    the engines show the code and hide the status.
    """
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return refusal(code, _ERROR_CODES.get(code, "UNKNOWN"), "on purpose", headers)


def nothing_ahead() -> Fault:
    """Return the fault that dockless may send no blob itself, so that its engine sends them all."""
    return Fault("POST", "/blobs/uploads/", status(405), 1_000_000, "^dockless/")


def refusal(code: int, error: str, message: str, headers: dict[str, str]) -> Answer:
    body = json.dumps({"errors": [{"code": error, "message": message}]}).encode()
    return Answer(code, {"Content-Type": "application/json", **headers}, body)


BLOB_UNKNOWN = refusal(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {})

HTML = Answer(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>")


def _lie(answer: Answer) -> Answer:
    digest = "sha256:" + "0" * 64
    return replace(answer, headers={**answer.headers, "Docker-Content-Digest": digest})


WRONG_DIGEST = Change(_lie)
ALTERED_BODY = Change(lambda answer: replace(answer, body=answer.body + b"\n"))


class FaultyRegistry:
    """The proxy.

    Attributes:
        host: `127.0.0.1:port`.
        upstream: The registry, `host:port`.
        elsewhere: Servers, by the beginning of the paths that are theirs.
        faults: What is to go wrong; a test adds to it, the first that fits is used.
        requests: What was asked, in the order of the answers; status 0 where none was given.
        headers: The headers of every request, in the order in which they came.
        stopping: Set when hanging requests are to end.
    """

    def __init__(self, host: str, upstream: str) -> None:
        self.host = host
        self.upstream = upstream
        self.elsewhere: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.headers: list[Mapping[str, str]] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()

    def take(self, method: str, path: str, headers: Mapping[str, str]) -> Effect | None:
        """Use up one turn of the first fault that fits the request; return its effect."""
        with self._lock:
            self.headers.append(headers)
            for fault in self.faults:
                if fault.times and fault.fits(method, path, headers):
                    fault.times -= 1
                    return fault.effect
        return None

    def record(self, request: Request) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append(request)


@contextlib.contextmanager
def faulty(
    upstream: str, address: str = "127.0.0.1", handler: "type[Handler] | None" = None
) -> Iterator[FaultyRegistry]:
    """Run the proxy in front of the registry at `upstream` (host:port) while the block lasts.

    Args:
        upstream: The registry.
        address: The address that it listens on, on a free port.
        handler: What serves each request, when that is more than faults.
    """
    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    proxy = FaultyRegistry(f"{address}:{server.server_port}", upstream)
    server.RequestHandlerClass = type("_Bound", (handler or Handler,), {"proxy": proxy})
    with serving(server):
        try:
            yield proxy
        finally:
            proxy.stopping.set()


class Handler(BaseHTTPRequestHandler):
    """Serves one connection to the proxy."""

    proxy: FaultyRegistry
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        try:
            self._answer(self.proxy.take(self.command, self.path, dict(self.headers)))
        except ConnectionError:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: `requests` has it."""

    def _answer(self, effect: Effect | None) -> None:
        match effect:
            case Hang():
                self._record(0)
                self._hang()
            case Drop(after):
                self._record(0)
                self._read_body(after)
                self._hang_up()
            case Answer():
                for _ in self._body():
                    pass
                self._send(effect)
            case DropAnswer(after):
                self._send(self._ask_registry(), cut=after)
                self._hang_up()
            case Gate():
                self._send(self._ask_registry(effect))
            case Change(alter):
                self._send(alter(self._ask_registry()))
            case None:
                self._send(self._ask_registry())

    def _record(self, code: int) -> None:
        self.proxy.record(Request(self.command, self.path, code))

    def _hang(self) -> None:
        self.connection.settimeout(0.1)
        while not self.proxy.stopping.is_set():
            try:
                if not self.connection.recv(_BLOCK_BYTES):
                    break
            except TimeoutError:
                continue
        self.close_connection = True

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _read_body(self, count: int) -> None:
        for block in self._body(min(count, _BLOCK_BYTES) or 1):
            count -= len(block)
            if count <= 0:
                return

    def _body(self, size: int = _BLOCK_BYTES) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while length := int(self.rfile.readline().split(b";")[0], 16):
                yield self._exactly(length)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            block = self._exactly(min(left, size))
            left -= len(block)
            yield block

    def _exactly(self, length: int) -> bytes:
        data = self.rfile.read(length)
        if len(data) != length:
            raise ConnectionError("the client went away")
        return data

    def _ask_registry(self, gate: Gate | None = None) -> Answer:
        others = self.proxy.elsewhere.items()
        server = next((where for path, where in others if self.path.startswith(path)), None)
        upstream = http.client.HTTPConnection(
            server or self.proxy.upstream, timeout=_UPSTREAM_SECONDS
        )
        chunked = "Transfer-Encoding" in self.headers
        has_body = chunked or "Content-Length" in self.headers
        with contextlib.closing(upstream):
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            # One by one: a client may send several Accept headers.
            for name, text in self.headers.items():
                if name.lower() not in _HOP_HEADERS:
                    upstream.putheader(name, text)
            body = gate.pass_through(self._body()) if gate else self._body()
            upstream.endheaders(body if has_body else None, encode_chunked=chunked)
            answer = upstream.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def _send(self, answer: Answer, cut: int | None = None) -> None:
        # Before the client can know the answer, so that a test never looks too early.
        self._record(answer.status)
        self.send_response_only(answer.status)
        length = str(len(answer.body))
        for name, text in answer.headers.items():
            if name.lower() == "content-length" and self.command == "HEAD":
                length = text
            if name.lower() not in _HOP_HEADERS | _FRAMING_HEADERS:
                for line in text.splitlines():
                    self.send_header(name, line)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:cut])
