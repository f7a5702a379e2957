"""`dockless tools install` against real servers, Debian's real archive and real interruptions."""

import hashlib
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from bed.certificates import Certificates
from bed.tools import crane
from dockless.engines.download import fetch
from dockless.engines.install import TamperedError, install
from dockless.engines.pins import Release
from dockless.engines.probe import probe, select, version
from dockless.model.errors import EngineError, NetworkError

CRANE = b"#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n'\n" + b"#" * 200_000
# With no apt-get on it, Debian's package is out of the question.
ENVIRONMENT = {"PATH": "/nonexistent"}
NOBODY = 65534
TOOLS = (sys.executable, "-c", "from dockless.cli.tools import tools; tools()")


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
        entry = tarfile.TarInfo("crane")
        entry.size = len(CRANE)
        tar.addfile(entry, io.BytesIO(CRANE))
    return buffer.getvalue()


ARCHIVE = _archive()


class Answer(BaseHTTPRequestHandler):
    """The path says what goes wrong."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        body = {"/tampered": ARCHIVE[:-1] + b"!", "/html": b"<html>Log in first.</html>"}
        self.send_response(404 if self.path == "/absent" else 200)
        self.send_header("Content-Length", str(len(body.get(self.path, ARCHIVE))))
        self.end_headers()
        if self.path == "/truncated":
            self.wfile.write(ARCHIVE[:100_000])
        elif self.path == "/slow":
            self._drip()
        else:
            self.wfile.write(body.get(self.path, ARCHIVE))

    def _drip(self) -> None:
        for byte in ARCHIVE:
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Keep the tests' output clean."""


def _serve(server: ThreadingHTTPServer) -> Iterator[str]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[str]:
    yield from _serve(ThreadingHTTPServer(("127.0.0.1", 0), Answer))


@pytest.fixture
def tls_server(certificates: Certificates) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    https = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    https.socket = context.wrap_socket(https.socket, server_side=True)
    yield from _serve(https)


def release(url: str) -> Release:
    return Release("1.0", url, hashlib.sha256(ARCHIVE).hexdigest())


def quiet(_: str) -> None:
    pass


@pytest.mark.parametrize("path", ["good", "moved"])
def test_a_release_is_downloaded_and_installed(tmp_path: Path, server: str, path: str) -> None:
    # The stand-in for crane is a script, so this needs a PATH.
    program = install(
        tmp_path / "own", release(f"http://{server}/{path}"), {"PATH": "/usr/bin:/bin"}, quiet
    )
    assert program.read_bytes() == CRANE
    assert list(program.parent.iterdir()) == [program]


def test_a_release_comes_over_tls_from_a_server_that_is_trusted(
    tmp_path: Path,
    tls_server: str,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    url = f"https://{tls_server}/good"
    program = install(tmp_path / "own", release(url), {"PATH": "/usr/bin:/bin"}, quiet)
    assert program.read_bytes() == CRANE


def test_a_server_that_is_not_trusted_gives_nothing(tmp_path: Path, tls_server: str) -> None:
    with pytest.raises(EngineError, match=r"certificate verify failed"):
        install(tmp_path / "own", release(f"https://{tls_server}/good"), ENVIRONMENT, quiet)
    assert not list((tmp_path / "own").iterdir())


@pytest.mark.parametrize("path", ["tampered", "html"])
def test_other_bytes_are_refused_and_the_other_way_is_not_tried(
    tmp_path: Path, server: str, path: str
) -> None:
    notes: list[str] = []
    with pytest.raises(TamperedError, match="was expected"):
        install(tmp_path / "own", release(f"http://{server}/{path}"), ENVIRONMENT, notes.append)
    assert len(notes) == 1
    assert not list((tmp_path / "own").iterdir())


@pytest.mark.parametrize(
    ("path", "complaint"), [("truncated", "IncompleteRead"), ("absent", "HTTP status 404")]
)
def test_a_failed_download_leaves_the_field_to_the_other_way(
    tmp_path: Path, server: str, path: str, complaint: str
) -> None:
    with pytest.raises(EngineError, match=f"{complaint}.*there is no apt-get"):
        install(tmp_path / "own", release(f"http://{server}/{path}"), ENVIRONMENT, quiet)
    assert not list((tmp_path / "own").iterdir())


def test_a_closed_port_is_a_failed_download(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(EngineError, match=r"Connection refused.*there is no apt-get"):
            install(tmp_path / "own", release(url), ENVIRONMENT, quiet)


def test_a_server_that_drips_does_not_outlast_the_clock(server: str) -> None:
    with urllib3.PoolManager() as http, pytest.raises(NetworkError, match="more than 1 seconds"):
        list(fetch(http, f"http://{server}/slow", seconds=1))


def test_a_server_that_is_silent_does_not_outlast_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, urllib3.PoolManager() as http:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(NetworkError, match="timed out"):
            list(fetch(http, url, seconds=0.5))


@pytest.fixture
def own() -> Iterator[Path]:
    """A folder that an ordinary user may own: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield Path(folder, "own")


# The interpreter may lie where nobody else may read, so root is given up after the imports.
AS_NOBODY = f"""
import os, pathlib, sys
from dockless.engines.install import install
if os.getuid() == 0:
    os.setgroups(()), os.setgid({NOBODY}), os.setuid({NOBODY})
print(install(pathlib.Path(sys.argv[1]), None, os.environ, lambda note: None))
"""


def test_without_a_release_an_ordinary_user_gets_debians_package(own: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-c", AS_NOBODY, own),
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"{own / 'crane'}\n"
    assert list(own.iterdir()) == [own / "crane"]
    assert not probe("crane", own / "crane", {"PATH": "/usr/bin:/bin"}).unusable


def tools(own: Path, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (*TOOLS, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/nonexistent", "DOCKLESS_TOOLS_DIR": str(own), **environment},
    )


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with tools(tmp_path, "install", https_proxy=proxy) as child:
            connection, _ = silent.accept()
            assert [path.name[:9] for path in tmp_path.iterdir()] == [".install-"]
            child.send_signal(signal.SIGINT)
            assert child.wait(timeout=30) != 0
            connection.close()
    assert not list(tmp_path.iterdir())


def test_a_real_crane_is_installed_from_a_file_then_listed_and_found(tmp_path: Path) -> None:
    file = crane()
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    with tools(tmp_path, "install", "--from", file, "--sha256", checksum.upper()) as child:
        assert child.communicate(timeout=60)[0] == f"{tmp_path / 'crane'}\n"
    with tools(tmp_path, "list", "--format", "json") as child:
        engines = json.loads(child.communicate(timeout=60)[0])["engines"]
    assert [(engine["engine"], engine["state"]) for engine in engines] == [
        ("crane", "usable"),
        ("skopeo", "missing"),
    ]
    assert "registry" in engines[0]["features"]
    with tools(tmp_path, "path") as child:
        assert child.communicate(timeout=60)[0] == f"{tmp_path / 'crane'}\n"


def test_debians_skopeo_is_usable_and_obeys_the_policy_that_there_is(tmp_path: Path) -> None:
    home = tmp_path / ".config/containers"
    home.mkdir(parents=True)
    (home / "policy.json").write_text("{}")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    abilities = select("skopeo", tmp_path, environment)
    assert abilities.policy == home / "policy.json"
    assert version("skopeo", abilities.path, environment)
