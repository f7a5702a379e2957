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
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import pytest
import urllib3

from bed.certificates import Certificates
from bed.tools import crane
from dockless.engines.install import Installation, install
from dockless.engines.names import refuses_repository
from dockless.engines.probe import probe, select, version
from dockless.engines.probe_result import ProbeResult
from dockless.engines.releases import Release
from dockless.engines.tampering import TamperedError
from dockless.errors import EngineError, NetworkError
from dockless.oci.reference import Repository
from dockless.transport.download import fetch

CRANE = b"#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n'\n" + b"#" * 200_000
# With no apt-get on it, Debian's package is out of the question.
ENVIRONMENT = {"PATH": "/nonexistent"}
NOBODY = 65534
Found = TypeVar("Found")
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


def passes(*_: object) -> ProbeResult:
    """Stand in for the push probe, since the stand-in for crane cannot push."""
    return ProbeResult(passed=True, reason="", moment=1.0)


def own_in(
    tmp_path: Path,
    environment: Mapping[str, str] = ENVIRONMENT,
    note: Callable[[str], None] = lambda _: None,
) -> Installation:
    return Installation(folder=tmp_path / "own", environment=environment, note=note, check=passes)


@pytest.mark.parametrize("path", ["good", "moved"])
def test_a_release_is_downloaded_and_installed(tmp_path: Path, server: str, path: str) -> None:
    # The stand-in for crane is a script, so this needs a PATH.
    wanted = own_in(tmp_path, {"PATH": "/usr/bin:/bin"})
    program = install(wanted, release(f"http://{server}/{path}")).path
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
    program = install(own_in(tmp_path, {"PATH": "/usr/bin:/bin"}), release(url)).path
    assert program.read_bytes() == CRANE


def test_a_server_that_is_not_trusted_gives_nothing(tmp_path: Path, tls_server: str) -> None:
    with pytest.raises(EngineError, match=r"its certificate is not trusted"):
        install(own_in(tmp_path), release(f"https://{tls_server}/good"))
    assert not list((tmp_path / "own").iterdir())


@pytest.mark.parametrize("path", ["tampered", "html"])
def test_other_bytes_are_refused_and_the_other_way_is_not_tried(
    tmp_path: Path, server: str, path: str
) -> None:
    notes: list[str] = []
    with pytest.raises(TamperedError, match="was expected"):
        install(own_in(tmp_path, note=notes.append), release(f"http://{server}/{path}"))
    assert len(notes) == 1
    assert not list((tmp_path / "own").iterdir())


@pytest.mark.parametrize(
    ("path", "complaint"), [("truncated", "was truncated"), ("absent", "HTTP status 404")]
)
def test_a_failed_download_leaves_the_field_to_the_other_way(
    tmp_path: Path, server: str, path: str, complaint: str
) -> None:
    with pytest.raises(EngineError, match=f"{complaint}.*apt-get does not exist"):
        install(own_in(tmp_path), release(f"http://{server}/{path}"))
    assert not list((tmp_path / "own").iterdir())


def test_a_closed_port_is_a_failed_download(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(EngineError, match=r"Connection refused.*apt-get does not exist"):
            install(own_in(tmp_path), release(url))


def test_a_server_that_drips_does_not_outlast_the_clock(server: str) -> None:
    with pytest.raises(NetworkError, match="more than 1 seconds"):
        list(fetch(lambda _: urllib3.PoolManager(), f"http://{server}/slow", seconds=1))


def test_a_server_that_is_silent_does_not_outlast_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(NetworkError, match="does not respond in time"):
            list(fetch(lambda _: urllib3.PoolManager(), url, seconds=0.5))


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
from dockless.engines.install import Installation, install
from dockless.engines.push_probe import probe_push
if os.getuid() == 0:
    os.setgroups(()), os.setgid({NOBODY}), os.setuid({NOBODY})
own = pathlib.Path(sys.argv[1])
wanted = Installation(
    folder=own, environment=os.environ, note=lambda note: None, check=probe_push
)
print(install(wanted, None).path)
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
        env={
            "PATH": "/nonexistent",
            "DOCKLESS_TOOLS_DIR": str(own),
            "DOCKLESS_CACHE_DIR": str(own.with_name(f"{own.name}-store")),
            **environment,
        },
    )


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with tools(tmp_path, "install", https_proxy=proxy) as child:
            connection, _ = silent.accept()
            assert [path.name[:9] for path in tmp_path.iterdir()] == [".install-"]
            child.send_signal(signal.SIGINT)
            assert child.wait(timeout=120) != 0
            connection.close()
    assert not list(tmp_path.iterdir())


SLOW_GO = """#!/bin/sh
test "$1" = env && { echo go1.26.8; echo direct; exit; }
sleep 600 &
echo $! > "$TMPDIR/child"
mkdir "$GOMODCACHE" && touch "$GOMODCACHE/file" && chmod 0500 "$GOMODCACHE"
mv "$TMPDIR/child" "$TMPDIR/ready"
wait
"""


def test_an_interrupted_build_leaves_neither_files_nor_programs(tmp_path: Path) -> None:
    own, programs = tmp_path / "own", tmp_path / "bin"
    programs.mkdir()
    (programs / "go").write_text(SLOW_GO)
    (programs / "go").chmod(0o755)
    with tools(own, "install", "--from", "go", PATH=f"{programs}:/usr/bin:/bin") as child:
        ready = once(lambda: next(own.glob(".install-*/tmp/ready"), None))
        pid = int(ready.read_text())
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=120) != 0
    assert not list(own.iterdir())
    # where nobody waits for the orphan, it stays a zombie
    status = Path(f"/proc/{pid}/stat")
    once(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z")


def once(met: Callable[[], Found | None]) -> Found:
    end = time.monotonic() + 120
    while not (found := met()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_real_crane_is_installed_from_a_file_then_listed_and_found(tmp_path: Path) -> None:
    file = crane()
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    with tools(tmp_path, "install", "--from", file, "--sha256", checksum.upper()) as child:
        assert child.communicate(timeout=120)[0] == f"{tmp_path / 'crane'}\n"
    with tools(tmp_path, "list", "--format", "json") as child:
        engines = json.loads(child.communicate(timeout=120)[0])["engines"]
    assert [(engine["engine"], engine["state"]) for engine in engines] == [
        ("crane", "usable"),
        ("skopeo", "missing"),
    ]
    assert "registry" in engines[0]["features"]
    assert engines[0]["probe"]["passed"]
    assert engines[1]["probe"] is None
    with tools(tmp_path, "path") as child:
        assert child.communicate(timeout=120)[0] == f"{tmp_path / 'crane'}\n"


def test_a_file_with_a_crane_that_cannot_push_is_not_installed(tmp_path: Path) -> None:
    own, file = tmp_path / "own", tmp_path / "file"
    file.write_bytes(CRANE)
    checksum = hashlib.sha256(CRANE).hexdigest()
    arguments = ("install", "--from", file, "--sha256", checksum)
    with tools(own, *arguments, PATH="/usr/bin:/bin") as child:
        stdout, stderr = child.communicate(timeout=120)
    assert stdout == ""
    assert "This crane cannot push, and was not installed" in stderr
    assert not list(own.iterdir())


def test_a_check_shows_what_real_programs_do_now(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "crane").symlink_to(crane())
    with tools(own, "list", "--check", "--format", "json", PATH="/usr/bin:/bin") as child:
        engines = json.loads(child.communicate(timeout=120)[0])["engines"]
    assert {(each["engine"], each["probe"]["passed"]) for each in engines} == {
        ("crane", True),
        ("skopeo", True),
    }
    with tools(own, "list", PATH="/usr/bin:/bin") as child:
        assert child.communicate(timeout=120)[0].count("  passed 2") == len(engines)


def test_real_engines_say_which_repositories_they_refuse() -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    one, two = (Repository("registry.example.com", name) for name in ("a", "ab"))
    number = version("crane", crane(), environment)
    # Debian's, which is 0.20.7, tells no version
    takes_one = bool(number) and tuple(map(int, number.split(".")[:2])) >= (0, 22)
    refused = refuses_repository("crane", crane(), one, environment)
    assert refused.startswith("crane accepts no repository path of one character: ") != takes_one
    assert refuses_repository("crane", crane(), two, environment) == ""
    assert refuses_repository("skopeo", Path("/usr/bin/skopeo"), one, environment) == ""


def test_debians_skopeo_is_usable_and_obeys_the_policy_that_there_is(tmp_path: Path) -> None:
    home = tmp_path / ".config/containers"
    home.mkdir(parents=True)
    (home / "policy.json").write_text("{}")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    abilities = select("skopeo", tmp_path, environment)
    assert abilities.policy == home / "policy.json"
    assert version("skopeo", abilities.path, environment)
