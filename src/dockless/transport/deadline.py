"""Time limits that a peer cannot extend: they apply to a whole response, not to each piece.

A socket's own timeout begins again with every byte that comes, so an answer that trickles, or a
flood of `100 Continue`, would never meet it. The sockets here look at the limit of the thread that
reads, before every read.
"""

import contextlib
import http.client
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3 import connection

_ANSWER_SECONDS = 60.0
_DOCUMENT_SECONDS = 30.0
_DOCUMENT_RATE = 64_000.0
_COMMIT_RATE = 20_000_000.0
_CLOSE_ENOUGH = 1 / 8
_INTERIM = frozenset(range(100, 200)) - {101}
_MOST_INTERIM = 100


def answer_seconds(taken: int) -> float:
    """Return how long a registry may take to respond with this many bytes to commit.

    Those that keep blobs in S3 copy them at 20 MB/s and more before they answer.
    """
    return _ANSWER_SECONDS + taken / _COMMIT_RATE


_thread = threading.local()


class Limit:
    """The time limit of one request, in the thread that sends it.

    The status and headers may take a minute from the request's last byte, and longer where the
    registry has to commit what this request, or others before it (`committing`), sent.

    Args:
        until: The moment, on the clock of `time.monotonic`, when all ends; None for none.
    """

    def __init__(self, until: float | None = None) -> None:
        self._until = math.inf if until is None else until
        self._taken = getattr(_thread, "taken", 0)
        self._asked: float | None = None
        self._body: float | None = None
        self._received = 0

    def sending(self) -> float:
        """Return the seconds that the next piece of the question has; none is left below 0."""
        self._asked = None
        return min(self._until - time.monotonic(), _ANSWER_SECONDS)

    def sent(self, count: int) -> None:
        """Count bytes of the question."""
        self._taken += count

    def receiving(self) -> float:
        """Return the seconds that the next piece of the answer has; none is left below 0."""
        now = time.monotonic()
        if self._asked is None:
            self._asked = now
        end = self._asked + answer_seconds(self._taken)
        if self._body is not None:
            end = self._body + _DOCUMENT_SECONDS + self._received / _DOCUMENT_RATE
        return min(end, self._until) - now

    def received(self, count: int) -> None:
        """Count bytes of the answer."""
        self._received += count

    def begin_body(self) -> None:
        """Give the body its own time: 30 s, and more with every byte, at 64 kB/s."""
        self._body, self._received = time.monotonic(), 0

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Exclude the time of a block, in which this process is slow itself."""
        begun = time.monotonic()
        try:
            yield
        finally:
            if self._body is not None:
                self._body += time.monotonic() - begun


@contextlib.contextmanager
def limited(limit: Limit) -> Iterator[Limit]:
    """Hold what this thread sends and receives to a limit, while the block lasts."""
    before = getattr(_thread, "limit", None)
    _thread.limit = limit
    try:
        yield limit
    finally:
        _thread.limit = before


@contextlib.contextmanager
def committing(count: int) -> Iterator[None]:
    """Allow more time for responses in the block: they commit this many bytes, sent before."""
    before = getattr(_thread, "taken", 0)
    _thread.taken = count
    try:
        yield
    finally:
        _thread.taken = before


def _current() -> Limit | None:
    limit = getattr(_thread, "limit", None)
    return limit if isinstance(limit, Limit) else None


def _arm(line: socket.socket, seconds: float) -> None:
    """Set the time limit of a socket's next call, within an eighth.

    Setting its timeout is a system call, and most calls have nearly as long as the one before.
    """
    if seconds <= 0:
        raise TimeoutError("timed out")
    held = line.gettimeout()
    if held is None or abs(held - seconds) > seconds * _CLOSE_ENOUGH:
        line.settimeout(seconds)


class TimedSocket(socket.socket):
    """A socket that observes the limit of the thread; past it TimeoutError is raised."""

    def recv(self, *arguments: Any) -> bytes:  # noqa: ANN401 - the arguments are the socket's
        """Receive as a socket does."""
        limit = _current()
        if limit:
            _arm(self, limit.receiving())
        data = super().recv(*arguments)
        if limit:
            limit.received(len(data))
        return data

    def recv_into(self, *arguments: Any) -> int:  # noqa: ANN401 - the same
        """Receive as a socket does."""
        limit = _current()
        if limit:
            _arm(self, limit.receiving())
        count = super().recv_into(*arguments)
        if limit:
            limit.received(count)
        return count

    def send(self, *arguments: Any) -> int:  # noqa: ANN401 - the same
        """Send as a socket does."""
        limit = _current()
        if limit:
            _arm(self, limit.sending())
        count = super().send(*arguments)
        if limit:
            limit.sent(count)
        return count

    def sendall(self, data: Any, *arguments: Any) -> None:  # noqa: ANN401 - the same
        """Send as a socket does."""
        limit = _current()
        if limit:
            _arm(self, limit.sending())
        super().sendall(data, *arguments)
        if limit:
            limit.sent(len(data))


class TimedTls(TimedSocket, ssl.SSLSocket):
    """The same over TLS: what `SSLContext.sslsocket_class` may be."""

    def sendall(self, data: Any, *arguments: Any) -> None:  # noqa: ANN401 - the same
        """Send as a socket does: piece by piece, by `send`, which heeds the limit."""
        ssl.SSLSocket.sendall(self, data, *arguments)


def _timed(line: socket.socket) -> TimedSocket:
    """Return a connection as a socket that heeds limits; the given one is used up."""
    timeout = line.gettimeout()
    made = TimedSocket(line.family, line.type, line.proto, fileno=line.detach())
    made.settimeout(timeout)
    return made


class _FinalResponse(http.client.HTTPResponse):
    """A response after those that only precede it, such as `103 Early Hints`.

    `http.client` itself skips 100 alone. A client must be able to parse any of them (RFC 9110,
    section 15.2); 101 is final, as it ends HTTP on the connection.
    """

    def begin(self) -> None:
        """Read the status and the headers of the final response."""
        super().begin()
        skipped = 0
        while self.status in _INTERIM:
            skipped += 1
            if skipped > _MOST_INTERIM:
                raise http.client.HTTPException(f"more than {_MOST_INTERIM} interim responses")
            self.headers = self.msg = None  # type: ignore[assignment] # what `begin` begins with
            super().begin()


class _Connection(connection.HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        return _timed(super()._new_conn())


class _TlsConnection(connection.HTTPSConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        return _timed(super()._new_conn())


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}
"""What `pool_classes_by_scheme` of a manager of urllib3 may be; TLS wants `TimedTls`, too."""
