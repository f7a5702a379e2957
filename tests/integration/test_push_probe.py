"""The push probe on real programs, and on ones that fail in every way that a program can."""

import http.client
import json
import shlex
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bed import tools
from dockless.engines import push_probe
from dockless.engines.probe_registry import registry
from dockless.engines.probe_repository import LARGEST, ProbeRepository
from dockless.engines.probe_result import LONGEST_REASON, ProbeResult
from dockless.engines.push_probe import probe_push
from dockless.engines.shell import Shell
from dockless.errors import EngineError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.storage.oci_layout import write_layout

SKOPEO = Path("/usr/bin/skopeo")
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
REFUSES_LINKS = """
for word; do
    test -d "$word" && found=$(find "$word" -type l | head -n 1)
    test -z "$found" || {{ echo "Error: layout blob $found is a symlink" >&2; exit 1; }}
done
exec {real} "$@"
"""
PUSHES_ANOTHER = """
for last; do :; done
test "$1" = push || exit 0
head -c 1024 /dev/zero > "$TMPDIR/empty.tar"
{real} append --insecure -f "$TMPDIR/empty.tar" -t "${{last%@*}}:other" > /dev/null && echo "$last"
"""
ONLY_SAYS_SO = 'for last; do :; done; echo "$last"'


def program(name: str) -> Path:
    return SKOPEO if name == "skopeo" else tools.crane()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str, str], Path]:
    def make(name: str, script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text("#!/bin/sh\n" + script.format(real=shlex.quote(str(program(name)))))
        path.chmod(0o755)
        return path

    return make


def tried(name: str, path: Path, work: Path, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Return why a program does not pass, once it is seen that nothing is left behind."""
    threads = running_threads()
    result = probe_push(name, path, None, environment, work)
    assert result.passed == (not result.reason)
    assert len(result.reason) <= LONGEST_REASON
    assert not list(work.iterdir())
    end = time.monotonic() + 60
    while running_threads() > threads and time.monotonic() < end:
        time.sleep(0.01)  # the system ends them
    assert running_threads() <= threads
    assert not [each for each in command_lines() if str(work) in each]
    return result.reason


def running_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def command_lines() -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_a_real_program_passes(name: str, work: Path) -> None:
    before = time.time()
    result = probe_push(name, program(name), None, ENVIRONMENT, work)
    assert result == ProbeResult(passed=True, reason="", moment=result.moment)
    assert before <= result.moment <= time.time()
    assert not list(work.iterdir())


@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_neither_proxies_nor_logins_nor_the_programs_own_folders_are_used(
    name: str, work: Path, tmp_path: Path
) -> None:
    asked, home, helpers = tmp_path / "asked", tmp_path / "home", tmp_path / "helpers"
    for folder in (home / ".docker", home / ".config/containers", helpers):
        folder.mkdir(parents=True)
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "poison"}))
    (home / ".config/containers/auth.json").write_text(
        json.dumps({"credHelpers": {"127.0.0.1": "poison"}})
    )
    helper = helpers / "docker-credential-poison"
    helper.write_text(f"#!/bin/sh\ntouch {asked}\nexit 1\n")
    helper.chmod(0o755)
    before = set(home.rglob("*"))
    environment = {
        "PATH": f"{helpers}:/usr/bin:/bin",
        "HOME": str(home),
        "http_proxy": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "DOCKER_CONFIG": str(home / ".docker"),
    }
    assert tried(name, program(name), work, environment) == ""
    assert not asked.exists()
    assert set(home.rglob("*")) == before


def test_a_program_that_refuses_symbolic_links_fails_where_a_layout_has_them(
    work: Path,
    stand_in: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def with_links(folder: Path, content: Content, blobs: Mapping[Digest, Path]) -> Path:
        write_layout(folder, content, blobs)
        for digest, path in blobs.items():
            blob = folder / "blobs" / digest.algorithm / digest.hex
            blob.unlink()
            blob.symlink_to(path)
        return folder

    monkeypatch.setattr(push_probe, "write_layout", with_links)
    reason = tried("crane", stand_in("crane", REFUSES_LINKS), work)
    assert reason.startswith("layout blob ")
    assert reason.endswith(" is a symlink.")


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("name", "script", "reason"),
    [
        ("crane", "exit 0", "crane reports that it pushed nothing, not sha256:"),
        ("skopeo", "exit 0", "skopeo reports that it pushed nothing, not sha256:"),
        ("crane", ONLY_SAYS_SO, "the manifest, the config and layer, the tag are not those of"),
        ("crane", PUSHES_ANOTHER, "the manifest, the config and layer, the tag are not those of"),
        ("crane", "echo 'Error: no such luck' >&2; exit 1", "no such luck."),
        ("crane", "exit 3", "crane ended with status 3 and printed nothing."),
        ("crane", "kill -SEGV $$", "crane was terminated by SIGSEGV."),
        ("skopeo", "kill -KILL $$", "skopeo was terminated by SIGKILL."),
        ("crane", "head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1", "x…"),
        ("crane", "printf '\\033[31mred\\007\\n' >&2; exit 1", "[31mred"),
    ],
)
def test_a_program_that_fails_is_found_out_and_says_why(
    name: str, script: str, reason: str, work: Path, stand_in: Callable[[str, str], Path]
) -> None:
    found = tried(name, stand_in(name, script), work)
    assert reason in found
    assert found.isprintable()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "said",
    [
        "fatal error: runtime: cannot allocate memory",
        "runtime: out of memory: cannot allocate 4194304-byte block",
        "runtime: failed to create new OS thread (have 4 already; errno=11)",
        "fatal error: failed to reserve page summary memory",
        "Error: fork/exec: resource temporarily unavailable",
        "Error: open /x: too many open files",
        "Error: write /tmp/x: no space left on device",
        "Error: write /tmp/x: disk quota exceeded",
    ],
)
def test_a_limit_of_the_machine_says_nothing_of_the_program(
    said: str, work: Path, stand_in: Callable[[str, str], Path]
) -> None:
    path = stand_in("crane", f"echo '{said}' >&2; exit 2")
    with pytest.raises(EngineError, match="can push cannot be tried"):
        probe_push("crane", path, None, ENVIRONMENT, work)
    assert not list(work.iterdir())


def test_where_no_program_can_be_started_none_is_blamed(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise EngineError("/bin/sh cannot be started.")

    monkeypatch.setattr(Shell, "run", fails)
    with pytest.raises(EngineError, match=r"cannot be tried\. /bin/sh cannot be started"):
        probe_push("crane", program("crane"), None, ENVIRONMENT, work)


@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_a_program_that_hangs_is_ended(
    name: str,
    work: Path,
    stand_in: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(push_probe, "SECONDS", 1.0)
    script = f"echo $$ > {tmp_path / 'pid'}\nexec sleep 600"
    assert tried(name, stand_in(name, script), work) == f"{name} did not end within 1 seconds."
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize("mode", [0o644, None], ids=["not executable", "not there"])
def test_a_program_that_cannot_be_executed_fails(
    mode: int | None, work: Path, stand_in: Callable[[str, str], Path]
) -> None:
    path = stand_in("crane", "exit 0")
    if mode is None:
        path.unlink()
    else:
        path.chmod(mode)
    assert tried("crane", path, work) == f"{path} cannot be started."


def test_a_program_for_another_kind_of_machine_fails(
    work: Path, stand_in: Callable[[str, str], Path]
) -> None:
    path = stand_in("crane", "")
    path.write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 200)
    assert tried("crane", path, work)


def test_a_folder_that_cannot_be_written_to_says_nothing_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be tried: No such file"):
        probe_push("crane", program("crane"), None, ENVIRONMENT, tmp_path / "absent")


def test_the_registry_takes_chunks_and_no_more_than_a_probe_sends() -> None:
    repository = ProbeRepository(path="dockless/probe")
    data = b"layer"
    with registry(repository) as host:
        connection = http.client.HTTPConnection(host, timeout=30)
        location = asked(connection, "POST", "/v2/dockless/probe/blobs/uploads/").getheader(
            "Location"
        )
        assert location
        pieces = iter((data[:2], data[2:]))
        connection.request("PATCH", location, body=pieces, encode_chunked=True)
        assert read(connection).status == 202
        done = asked(connection, "PUT", f"{location}?digest={Digest.of(data)}")
        assert done.status == 201
        assert repository.blobs == {Digest.of(data): data}
        connection.putrequest("PUT", "/v2/dockless/probe/manifests/latest")
        connection.putheader("Content-Length", str(LARGEST + 1))
        connection.endheaders()
        assert read(connection).status == 413
        connection.close()


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nabc", b"1\r\nabc\r\n0\r\n\r\n"])
def test_chunks_that_are_none_are_refused(body: bytes) -> None:
    repository = ProbeRepository(path="dockless/probe")
    head = (
        b"PUT /v2/dockless/probe/manifests/latest HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with registry(repository) as host:
        address, _, port = host.partition(":")
        with socket.create_connection((address, int(port)), 30) as client:
            client.sendall(head + body)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(64).startswith(b"HTTP/1.1 400 ")
    assert not repository.manifests


def test_connections_end_with_the_registry() -> None:
    with registry(ProbeRepository(path="dockless/probe")) as host:
        address, _, port = host.partition(":")
        client = socket.create_connection((address, int(port)), 30)
        client.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 200 ")
    with client:
        while client.recv(1024):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)), 30)


def asked(
    connection: http.client.HTTPConnection, method: str, path: str
) -> http.client.HTTPResponse:
    connection.request(method, path, headers={"Content-Length": "0"})
    return read(connection)


def read(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    response = connection.getresponse()
    response.read()
    return response


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("policy", ['{"default":[{"type":"reject"}]}', '{"default":'])
def test_a_policy_that_rejects_says_nothing_of_the_program(tmp_path: Path, policy: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(policy)
    with pytest.raises(EngineError, match="policy"):
        probe_push("skopeo", program("skopeo"), file, ENVIRONMENT, tmp_path)
