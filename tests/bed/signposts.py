"""Servers on loopback that answer as they are told, and keep what they were asked."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

from bed.serving import serving


class Told(NamedTuple):
    """What a server answers to one path."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Seen(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Signpost:
    """A server that is running.

    Attributes:
        host: Its `127.0.0.1:port`.
        answers: By path; every other path is 404.
        seen: Every request.
    """

    host: str
    answers: dict[str, Told] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What stands before the path in its URLs."""
        return f"http://{self.host}"

    def saw(self, secret: str) -> bool:
        """Whether any request had this text in it."""
        return secret in repr([(each.path, dict(each.headers), each.body) for each in self.seen])


@contextlib.contextmanager
def signpost(address: str = "127.0.0.1") -> Iterator[Signpost]:
    """Run such a server on a loopback address while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            post.seen.append(Seen(self.command, self.path, dict(self.headers), body))
            told = post.answers.get(urlsplit(self.path).path, Told(404))
            self.send_response(told.status)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(told.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - its names

        def log_message(self, *_: object) -> None:
            """Keep quiet: what was asked is in `seen`."""

    server = ThreadingHTTPServer((address, 0), Handler)
    post = Signpost(f"{address}:{server.server_address[1]}")
    with serving(server):
        yield post
