"""Errors of connections as libraries really make them: what people read of them is plain words."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import urllib3

from bed.certificates import make
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.diagnosis import connection
from dockless.errors import DocklessError
from dockless.model.endpoint import Endpoint, Trust
from dockless.processes.programs import ProgramsHere
from dockless.sources.daemons import DaemonAddress, contact
from dockless.sources.docker_daemon import DockerDaemon
from dockless.transport import deadline, peer
from dockless.transport.download import fetch
from dockless.transport.http import HttpClient

FRAGMENTS = re.compile(
    r"Errno|0x[0-9a-f]|ssl\.c|\bb['\"]|object at|Pool\(|Connection\(|\wError\b|Exception\b|[<>{}]"
)
_OK = b"HTTP/1.1 200 OK\r\n"
SAYS = {
    "nothing": b"",
    "garbage": b"\x16\x03\x01\x00\xff\r\n\r\n",
    "half a status": b"HTTP/1.1 2",
    "no number": b"HTTP/1.1 OK 200\r\n\r\n",
    "a long header": _OK + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": _OK + b"X-A: a\r\n" * 300 + b"\r\n",
    "a cut body": _OK + b"Content-Length: 50\r\n\r\nhalf",
    "a bad chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
    "a cut chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\n20\r\nhalf",
    "no chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
}


@pytest.fixture(params=[*SAYS, "reset", "refused", "silence"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where somebody listens who is no registry, or nobody."""
    monkeypatch.setattr(deadline, "_ANSWER_SECONDS", 1.0)
    with served(socket.create_server(("127.0.0.1", 0)), request.param) as name:
        yield f"127.0.0.1:{name[1]}"


@contextlib.contextmanager
def served(listening: socket.socket, what: str) -> Iterator[tuple[str, int]]:
    """Answer every connection in that way while the block lasts."""
    name, ended = listening.getsockname(), threading.Event()
    if what == "refused":
        listening.close()

    def answer(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            line.settimeout(10)
            line.recv(65536)
            if what == "reset":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif what == "silence":
                ended.wait(30)
            else:
                line.sendall(SAYS[what])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                threading.Thread(target=answer, args=(line,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield name
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def said(step: Callable[[], object]) -> str:
    with pytest.raises(DocklessError) as caught:
        step()
    return str(caught.value)


@pytest.mark.sampled(5)
def test_a_registry_that_is_none(host: str) -> None:
    plain, tls = Endpoint(host=host, plain_http=True), Endpoint(host=host)
    for endpoint in (plain, tls):
        text = said(partial(HttpClient(endpoint, {}).ask, "GET", f"{endpoint.url}/v2/"))
        assert not FRAGMENTS.search(text), text
        assert host in text


@pytest.mark.sampled(5)
def test_a_proxy_that_is_none(host: str) -> None:
    environment = {"HTTPS_PROXY": f"http://{host}"}
    endpoint = Endpoint(host="registry.example.com")
    text = said(lambda: HttpClient(endpoint, environment).ask("GET", f"{endpoint.url}/v2/"))
    assert not FRAGMENTS.search(text), text


@pytest.mark.sampled(5)
def test_a_server_of_files_that_is_none(host: str) -> None:
    text = said(
        lambda: [*fetch(lambda _: urllib3.PoolManager(), f"http://{host}/x.gz", seconds=2.0)]
    )
    assert not FRAGMENTS.search(text), text


@pytest.mark.sampled(5)
def test_a_daemon_that_is_none(host: str) -> None:
    found = contact(DaemonAddress(f"tcp://{host}", "DOCKER_HOST"), 1.0)
    assert not FRAGMENTS.search(str(found)), found


@pytest.mark.sampled(3)
def test_what_doctor_says_of_the_way(host: str) -> None:
    endpoint = Endpoint(host=host)
    target = peer.target_of(endpoint.url)
    findings = [*connection.check_port(target, None), *connection.check_tls(endpoint, None)]
    assert not FRAGMENTS.search(" ".join(f"{each.what} {each.remedy}" for each in findings))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("what", [*SAYS, "reset", "refused"])
def test_a_socket_of_docker_with_something_else_behind_it(tmp_path: Path, what: str) -> None:
    path = tmp_path / "docker.sock"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    with served(listening, what):
        text = said(lambda: DockerDaemon(path, ProgramsHere({})).find(("shop:1",)))
        assert not FRAGMENTS.search(text), text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # jeepney's own
@pytest.mark.parametrize("what", ["nothing", "garbage", "reset", "refused"])
def test_a_session_bus_with_something_else_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = tmp_path / "bus"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
    secretservice = pytest.importorskip("keyring.backends.SecretService")
    keyring_logins = KeyringLogins("secret-service", secretservice.Keyring, tmp_path, 20.0)
    with served(listening, what):
        text = said(keyring_logins.logins)
        assert not FRAGMENTS.search(text), text


def test_certificates_that_are_not_trusted(tmp_path: Path) -> None:
    certificates = make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    listening = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                with contextlib.suppress(OSError), line:
                    line.settimeout(5)
                    context.wrap_socket(line, server_side=True).close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        for trust in (Trust(), Trust((certificates.ca,))):
            endpoint = Endpoint(host=host, trust=trust)
            text = said(partial(HttpClient(endpoint, {}).ask, "GET", f"{endpoint.url}/v2/"))
            assert not FRAGMENTS.search(text), text
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
