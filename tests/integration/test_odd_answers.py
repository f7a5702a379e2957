"""A registry and a token service that answer oddly end as one of our errors, never as a bug."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bed.mutations import DEEP, NOT_JSON, WRONG
from dockless.errors import DocklessError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Secret
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.transport.http import HttpClient

ADDRESSES = (
    "http://[x/",
    "http://h:99999/",
    "http://h:-1/",
    "http://h:x/",
    "http://",
    "http:///x",
    "//[x/",
    "http://[::1%25x]:0/",
    "http://a b/",
    "http://\x01/",
    "ftp://h/",
    "file:///etc/passwd",
    "http://xn--/",
    f"http://{'a' * 70}.example/",
    f"http://{'a.' * 200}/",
    "",
    "?",
    "%",
    "javascript:x",
)
WAITS = ("", "x", "-5", "1e400", "nan", "9" * 400, "Mon, 99 Foo 2026 99:99:99 GMT", "0 0", "\xff",
         "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +9999")  # fmt: skip
# urllib3 leaves the connection of a redirect to what is no address to the garbage collector
pytestmark = [
    pytest.mark.sampled(23),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SECRET = "s3cret-pass"


def _error(step: Callable[[], object]) -> str:
    """Return the sentences of the error that a step ends with; empty for none."""
    try:
        step()
    except DocklessError as error:
        return str(error)
    return ""


class Odd:
    """What the server answers, by the beginning of the path.

    Attributes:
        host: Its `HOST:PORT`.
        answers: The status, headers and body for each; anything else is an empty 200.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.answers: dict[str, tuple[int, Mapping[str, str], bytes]] = {}

    def client(self) -> RegistryClient:
        """Return a client with a login, which follows what the server says."""
        credential = Credential(username="me", password=Secret(SECRET))
        return RegistryClient(
            HttpClient(Endpoint(host=self.host, plain_http=True), {}), lambda: credential
        )

    def ask(self) -> None:
        """Ask for everything that a push asks for; see that only our errors come."""
        repository = Repository.of(self.host, "a/b")
        client = self.client()
        for step in (
            lambda: client.tag(repository, "v1"),
            lambda: client.tags(repository),
            lambda: client.manifest(repository, Digest.of(b"")),
            lambda: client.referrers(repository, Digest.of(b""), print),
            lambda: client.existing_blobs(
                repository, [Descriptor(media_type="", digest=Digest.of(b""), size=0)]
            ),
            lambda: client.grant(repository),
            lambda: self._upload(client, repository),
        ):
            assert SECRET not in _error(step)

    @staticmethod
    def _upload(client: RegistryClient, repository: Repository) -> None:
        begun = client.request("POST", repository, "blobs/uploads/")
        where = begun.headers.get("Location", "")
        client.request("PATCH", repository, where, {}, b"data")


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no name but this machine's, and know it at once."""
    known = socket.getaddrinfo

    def look(host: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - as the socket module has it
        if not str(host).startswith("127."):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look)


@pytest.fixture
def odd() -> Iterator[Odd]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = (each for path, each in made.answers.items() if self.path.startswith(path))
            status, headers, body = next(found, (200, {}, b""))
            self.send_response(status)
            with contextlib.suppress(UnicodeEncodeError):
                for name, value in headers.items():
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Odd(f"127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        server.shutdown()


def _by_token(odd: Odd, realm: str = "") -> None:
    realm = realm or f"http://{odd.host}/token"
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}
    odd.answers["/v2/"] = (401, challenge, b"")


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_token_answer_that_is_none(odd: Odd, body: bytes) -> None:
    _by_token(odd)
    odd.answers["/token"] = (200, {}, body)
    odd.ask()


@pytest.mark.parametrize("member", ["token", "expires_in"])
@pytest.mark.parametrize(
    "value", [*WRONG, "DEEP", 10**400, 1e300, -1.5, "a\nb", "a b", "日本", "x" * 100_000]
)
def test_a_token_answer_of_another_type(odd: Odd, member: str, value: Any) -> None:  # noqa: ANN401
    _by_token(odd)
    body = json.dumps({"token": "t", member: value}).replace('"DEEP"', DEEP)
    odd.answers["/token"] = (200, {}, body.encode())
    odd.ask()


@pytest.mark.parametrize("realm", ADDRESSES)
def test_a_realm_that_is_no_address(odd: Odd, realm: str) -> None:
    _by_token(odd, realm or " ")
    odd.ask()


@pytest.mark.parametrize("location", ADDRESSES)
@pytest.mark.parametrize("status", [202, 307])
def test_a_location_that_is_no_address(odd: Odd, location: str, status: int) -> None:
    odd.answers["/v2/a/b/"] = (
        status,
        {"Location": location, "Link": f'<{location}>; rel="next"'},
        b"",
    )
    odd.ask()


@pytest.mark.parametrize("text", WAITS)
@pytest.mark.parametrize("status", [429, 503, 307])
def test_a_wait_that_is_none(odd: Odd, text: str, status: int) -> None:
    where = {"Location": f"http://{odd.host}/v2/elsewhere", "Retry-After": text}
    odd.answers["/v2/a/b/"] = (status, where, b"")
    odd.ask()


def test_a_redirect_does_not_say_how_long_we_sleep(
    odd: Odd, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    where = {"Location": f"http://{odd.host}/v2/elsewhere", "Retry-After": "86400"}
    odd.answers["/v2/a/b/"] = (307, where, b"")
    odd.ask()
    assert slept == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "zstd"},
        {"Content-Encoding": "gzip, deflate, gzip, br, x"},
        {"Content-Length": "-5"},
        {"Content-Length": "9" * 400},
        {"Content-Type": "\xff;" * 1000},
        {"Docker-Content-Digest": "sha256:x"},
        {"Docker-Content-Digest": "\x1b"},
        {"X": "y" * 70_000},
        {"WWW-Authenticate": "Bearer " + "x=" * 10_000},
        {f"X-{number}": "y" for number in range(200)},
    ],
    ids=lambda headers: next(iter(headers.items()), "")[0],
)
@pytest.mark.parametrize("status", [200, 401])
def test_odd_headers(odd: Odd, headers: dict[str, str], status: int) -> None:
    odd.answers["/v2/a/b/"] = (status, headers, b'{"tags": 5}')
    odd.ask()


@pytest.mark.parametrize("value", [*WRONG[::3], "DEEP"])
@pytest.mark.parametrize("member", ["tags", "manifests", "errors"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_document_of_another_type(
    odd: Odd,
    member: str,
    status: int,
    value: Any,  # noqa: ANN401 - any JSON
) -> None:
    body = json.dumps({member: value}).replace('"DEEP"', DEEP)
    odd.answers["/v2/a/b/"] = (status, {"Content-Type": "application/json"}, body.encode())
    odd.ask()
