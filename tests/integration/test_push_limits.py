"""A peer that never comes to an end: each answer has a limit, and `--timeout` holds over all."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bed import hostile
from bed.certificates import make
from bed.dockless import Dockless
from dockless.concurrency import alone
from dockless.errors import NetworkError
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.registry_access import RegistryAccess
from dockless.model.secret import Credential, Secret
from dockless.registry.client import RegistryClient
from dockless.transport import deadline
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient

pytestmark = pytest.mark.sampled(5)

_OK = b"HTTP/1.1 200 OK\r\n"
_FOUND = b"HTTP/1.1 302 Found\r\nLocation: /v2/x\r\n"
ENDLESS = {
    "status": (b"HTTP/1.1 20", b"0"),
    "headers": (_OK + b"X-A: ", b"a"),
    "many headers": (_OK, b"X-A: a\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (_OK + b"Content-Length: 4000000\r\n\r\n", b"a"),
    "body without a length": (_OK + b"\r\n", b"a"),
    "chunks": (_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "silence": (b"", b""),
    "redirect": (_FOUND + b"Content-Length: 4000000000\r\n\r\n", b"a"),
}
PEERS = pytest.mark.parametrize("what", ENDLESS)
_PAUSE_SECONDS = 0.1


class Peer:
    """A server that begins an answer and goes on with it for ever.

    Attributes:
        host: Where it listens.
    """

    def __init__(self, what: str, context: ssl.SSLContext | None = None) -> None:
        self._begins, self._goes_on = ENDLESS[what]
        self._context = context
        self._ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """End it, and see that it ends."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                line.settimeout(5)
                self._start(lambda line=line: self._answer(line))  # type: ignore[misc] # bound now

    def _answer(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            if self._context:
                line = self._context.wrap_socket(line, server_side=True)
            elif line.recv(1, socket.MSG_PEEK) == b"\x16":
                return  # it speaks no TLS
            with line:
                line.recv(65536)
                line.sendall(self._begins)
                while not self._ended.wait(_PAUSE_SECONDS):
                    line.sendall(self._goes_on)


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    with contextlib.ExitStack() as opened:

        def start(what: str, context: ssl.SSLContext | None = None) -> Peer:
            made = Peer(what, context)
            opened.callback(made.close)
            return made

        yield start


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each limit be short, where the push itself has none."""
    monkeypatch.setattr(deadline, "_ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(deadline, "_DOCUMENT_SECONDS", 1.0)


@PEERS
@pytest.mark.usefixtures("short")
def test_an_answer_without_an_end_is_given_up(peer: Callable[..., Peer], what: str) -> None:
    server = peer(what)
    with pytest.raises(NetworkError):
        HttpClient(Endpoint(host=server.host, plain_http=True), {}).ask(
            "GET", f"http://{server.host}/v2/"
        )


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("what", ["headers", "continue", "body"])
def test_it_is_given_up_over_tls_too(peer: Callable[..., Peer], tmp_path: Path, what: str) -> None:
    certificates = make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    server = peer(what, context)
    trust = Trust((certificates.ca,))
    with pytest.raises(NetworkError):
        HttpClient(Endpoint(host=server.host, trust=trust), {}).ask(
            "GET", f"https://{server.host}/v2/"
        )


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("what", ["headers", "continue", "many headers"])
def test_a_proxy_is_given_up_too(peer: Callable[..., Peer], what: str) -> None:
    server = peer(what)
    environment = {"HTTPS_PROXY": f"http://{server.host}"}
    with pytest.raises(NetworkError):
        HttpClient(Endpoint(host="registry.example.com"), environment).ask(
            "GET", "https://registry.example.com/v2/"
        )


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("what", ["body", "chunks", "body without a length"])
def test_a_blob_without_an_end_is_given_up(peer: Callable[..., Peer], what: str) -> None:
    server = peer(what)
    taken: list[bytes] = []
    with pytest.raises(NetworkError):
        HttpClient(Endpoint(host=server.host, plain_http=True), {}).ask(
            "GET", f"http://{server.host}/v2/", sink=taken.append
        )


@pytest.fixture
def deaf() -> Iterator[str]:
    """Where connections are accepted, and nobody ever says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("seconds", [-1.0, 0.1, 1.0])
def test_the_greeting_in_tls_ends_with_the_run(deaf: str, name: str, seconds: float) -> None:
    host = deaf.replace("127.0.0.1", name)
    until = time.monotonic() + seconds
    ask = partial(
        endpoint_of, host, RegistryAccess(), Path("/nonexistent"), seconds=10_000.0, until=until
    )
    assert alone(ask).result(60).plain_http


def test_the_greeting_in_tls_has_a_limit_of_its_own(deaf: str) -> None:
    ask = partial(endpoint_of, deaf, RegistryAccess(), Path("/nonexistent"), seconds=0.1)
    assert alone(ask).result(60).plain_http


@pytest.mark.usefixtures("short")
def test_a_login_at_a_registry_that_is_silent_ends(deaf: str) -> None:
    http = HttpClient(Endpoint(host=deaf, plain_http=True), {})
    check = RegistryClient(http, lambda: Credential(username="me", password=Secret("pass"))).check
    with pytest.raises(NetworkError, match="does not respond in time"):
        alone(check).result(60)


@pytest.mark.parametrize("what", ["deaf", "silence", "headers", "continue", "body", "redirect"])
def test_timeout_ends_a_login_and_nothing_is_kept(
    peer: Callable[..., Peer], program: Dockless, deaf: str, what: str
) -> None:
    program = replace(program, extra={"DOCKLESS_KEYRING": "kernel"})
    host = deaf if what == "deaf" else peer(what).host
    who = ("--username", "me", "--password-stdin", "--timeout", "2s")
    done = program.run("login", host, *who, stdin=b"pass\n")
    assert done.code == 6, done.stderr
    # by its own limit, and not by that of the whole command
    assert f"The login to {host} could not be checked within --timeout" in done.stderr
    assert program.run("whoami", host).code == 4


@PEERS
def test_timeout_ends_a_push_to_a_registry_without_an_end(
    peer: Callable[..., Peer], program: Dockless, tmp_path: Path, what: str
) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(hostile.tar(*hostile.image(hostile.file("layer.tar", hostile.LAYER))))
    limits = ("--timeout", "2s", "--retries", "0")
    server = peer(what)
    done = program.run("push", archive, "--image", f"{server.host}/team/app:1", *limits)
    assert done.code == 6
    assert "did not finish within --timeout" in done.stderr
    assert "Traceback" not in done.stderr
