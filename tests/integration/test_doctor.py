"""`dockless doctor` on real registries, keyrings and daemons."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bed import keyrings
from bed.certificates import make
from bed.docker import Docker
from bed.dockless import Dockless, Result, dockless
from bed.keyrings import SecretService
from bed.names import named
from bed.registry import Login, Registry, docker_registry
from bed.secrecy import forms
from bed.tokens import SERVICE, TokenService

_SCHEMA = json.loads((Path(__file__).parents[2] / "docs/doctor.schema.json").read_text())
_NOBODY = 47_110  # a user id that has no name

Finding = dict[str, Any]


class Page:
    """What one run of the doctor found, as its JSON has it."""

    def __init__(self, done: Result) -> None:
        assert "Traceback" not in done.stderr, done.stderr
        document = json.loads(done.stdout)
        Draft202012Validator(_SCHEMA).validate(document)
        self.findings: list[Finding] = document["diagnosis"]["findings"]
        self.problems = [one for one in self.findings if one["state"] == "problem"]
        self.repository: str = document["diagnosis"]["repository"]
        assert done.code == (1 if self.problems else 0), done.stderr
        assert document["diagnosis"]["healthy"] is not bool(self.problems)

    def of(self, area: str, subject: str = "") -> Finding:
        """Return the one finding of an area, or of a subject in it."""
        [found] = [
            one
            for one in self.findings
            if one["area"] == area and subject in ("", str(one["subject"]))
        ]
        return found

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """The area and the words of every problem."""
        return [(one["area"], one["what"]) for one in self.problems]


def _page(program: Dockless, *arguments: str | Path, stdin: bytes = b"") -> Page:
    return Page(program.run("doctor", *arguments, "--format", "json", stdin=stdin))


def _tree(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return everything below a folder, with its size and when it last changed."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def _config(program: Dockless, registry: Registry) -> None:
    """Let the login of a registry stand in docker's file, as docker writes it."""
    folder = program.home / ".docker"
    folder.mkdir()
    shutil.copy(registry.folder / "config.json", folder)


@pytest.fixture
def quiet(program: Dockless) -> Dockless:
    """Return dockless with the kernel's keyring, whatever else there is."""
    return replace(program, extra={"DOCKLESS_KEYRING": "kernel"})


def test_without_a_registry_nothing_is_wrong_and_nothing_is_written(quiet: Dockless) -> None:
    before = _tree(quiet.folder)
    page = _page(quiet)
    assert page.wrong == []
    areas = dict.fromkeys(one["area"] for one in page.findings)
    assert list(areas) == [
        *("system", "engines", "containers", "keyrings", "logins", "cache"),
        *("proxies", "certificates", "clock"),
    ]
    assert page.of("engines", "crane")["facts"]["usable"] is True
    assert _tree(quiet.folder) == before


def test_the_last_push_probe_is_told_where_one_is_remembered(quiet: Dockless) -> None:
    assert _page(quiet).of("engines", "crane")["facts"]["lastProbe"] is None
    assert quiet.run("tools", "list", "--check").code == 0
    page = _page(quiet)
    for name in ("crane", "skopeo"):
        found = page.of("engines", name)
        assert found["facts"]["lastProbe"] is True
        assert "passed its push probe of 20" in found["what"]


def test_the_text_has_every_line_of_the_document(quiet: Dockless) -> None:
    done = quiet.run("doctor")
    assert done.code == 0
    shown = " ".join(done.stdout.split())
    for finding in _page(quiet).findings:
        # the second may be another, and others may use the same disk
        if finding["area"] != "clock" and " free; " not in finding["what"]:
            assert " ".join(finding["what"].split()) in shown
    assert done.stdout.splitlines()[-1].startswith("No problems, ")


def test_a_stored_login_gets_a_token_and_is_told_by_its_origin_alone(
    quiet: Dockless, token_registry: Registry, login: Login, tokens: TokenService
) -> None:
    _config(quiet, token_registry)
    before = _tree(quiet.folder)
    where = (f"{token_registry.host}/team/app", "--ca-file", token_registry.ca_file)
    page = _page(quiet, *where)
    assert page.wrong == []
    assert page.repository == f"{token_registry.host}/team/app"
    challenge = page.of("registry", "/v2/")["facts"]
    assert challenge == {"scheme": "bearer", "realm": tokens.realm, "service": SERVICE}
    who = page.of("registry", "login")["facts"]
    assert who["username"] == login.username
    assert who["origin"] == str(quiet.home / ".docker/config.json")
    assert page.of("registry", "referrers")["facts"]["referrersApi"] is False
    certificate = page.of("tls")["facts"]
    assert certificate["issuer"] == "dockless test authority"
    assert (certificate["daysLeft"], certificate["fault"]) == (0, None)
    assert page.of("clock")["facts"]["aheadSeconds"] in range(-60, 61)
    assert {request.method for request in token_registry.requests()} == {"GET"}
    assert _tree(quiet.folder) == before
    for form in ("text", "json"):
        done = quiet.run("doctor", *where, "--format", form)
        shown = (done.stdout + done.stderr).encode()
        assert [one for one in forms(login) if one in shown] == []


def test_a_password_that_is_refused_is_a_problem_and_not_shown(
    quiet: Dockless, token_registry: Registry, login: Login
) -> None:
    wrong = Login(login.username, f"{login.password}-wrong")
    arguments = (token_registry.host, "--ca-file", token_registry.ca_file)
    given = ("--username", wrong.username, "--password-stdin")
    done = quiet.run(
        "doctor", *arguments, *given, "--format", "json", stdin=wrong.password.encode()
    )
    page = Page(done)
    [(area, what)] = page.wrong
    assert area == "registry"
    assert f"rejects the credential of user {wrong.username} (from standard input)" in what
    assert [one for one in forms(wrong) if one in done.stdout.encode()] == []


def test_no_credential_where_one_is_wanted_is_a_problem_with_a_remedy(
    quiet: Dockless, locked_registry: Registry
) -> None:
    page = _page(quiet, locked_registry.host, "--ca-file", locked_registry.ca_file)
    [problem] = page.problems
    assert (problem["area"], problem["subject"]) == ("registry", "login")
    assert f"dockless login {locked_registry.host}" in problem["remedy"]


@pytest.mark.parametrize("kind", ["own_registry", "embedded_registry"])
def test_with_write_an_upload_is_begun_and_cancelled_and_nothing_stays(
    quiet: Dockless, request: pytest.FixtureRequest, kind: str
) -> None:
    registry: Registry = request.getfixturevalue(kind)
    page = _page(quiet, f"{registry.host}/doctor/app", "--write")
    assert page.wrong == []
    assert page.of("upload", "mounts")["facts"]["mounts"] is True
    assert page.of("upload", "chunks")["facts"]["chunks"] is True
    assert page.of("cache", "links")["facts"]["tried"] is True
    assert not [path for path in (quiet.folder / "cache").rglob("*") if path.is_file()]
    blobs = [path for path in registry.storage.rglob("data") if "doctor" in str(path)]
    assert blobs == []
    if registry.tells_requests:
        assert page.of("upload", "session")["facts"]["cancelled"] is True
        methods = [one.method for one in registry.requests() if "uploads" in one.path]
        assert methods == ["POST", "PATCH", "DELETE"]


def test_the_default_repository_is_said(quiet: Dockless, own_registry: Registry) -> None:
    page = _page(quiet, own_registry.host, "--write")
    assert page.repository == f"{own_registry.host}/dockless-doctor"
    assert page.repository in page.of("upload", "session")["what"]


@pytest.mark.parametrize(
    ("over", "trusted", "address", "fault"),
    [
        (True, True, "127.0.0.1", "expired"),
        (False, True, "127.0.0.9", "name mismatch"),
        (False, False, "127.0.0.1", "untrusted"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_told_by_its_fault_and_read_all_the_same(
    quiet: Dockless, tmp_path: Path, address: str, fault: str, *, over: bool, trusted: bool
) -> None:
    certificates, other = make(tmp_path / "made", over=over), make(tmp_path / "other")
    folder = tmp_path / "registry"
    folder.mkdir()
    with docker_registry(folder, certificates=certificates, address=address) as registry:
        authority = certificates.ca if trusted else other.ca
        page = _page(quiet, registry.host, "--ca-file", authority)
    [problem] = page.problems
    assert (problem["area"], problem["facts"]["fault"]) == ("tls", fault)
    assert problem["what"].startswith(fault)
    assert problem["facts"]["issuer"] == "dockless test authority"
    assert problem["facts"]["daysLeft"] == (-1 if over else 0)
    assert any("not checked" in one["what"] for one in page.findings)
    assert page.of("clock")["state"] == "ok"


def test_a_registry_without_tls_is_told(
    quiet: Dockless, own_registry: Registry, tmp_path: Path
) -> None:
    page = _page(quiet, own_registry.host, "--ca-file", make(tmp_path / "made").ca)
    [problem] = page.problems
    assert (problem["facts"]["fault"], "--insecure" in problem["remedy"]) == ("no tls", True)


def test_a_port_where_nobody_listens_is_told(quiet: Dockless) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        host = f"127.0.0.1:{bound.getsockname()[1]}"
    page = _page(quiet, host)
    assert page.wrong == [
        (
            "connection",
            "cannot be reached (127.0.0.1: connection refused: nothing listens on this port).",
        ),
    ]
    assert page.of("engines", "crane")["state"] == "ok"


def test_a_name_that_does_not_exist_is_told(quiet: Dockless) -> None:
    [(area, what)] = _page(quiet, "registry.invalid").wrong
    assert area == "connection"
    assert "cannot be resolved" in what


@contextlib.contextmanager
def _login_page() -> Iterator[str]:
    """Run a server that answers everything with a page for people."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>Please log in</html>")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_thing_that_answers_with_a_page_for_people_is_no_registry(quiet: Dockless) -> None:
    with _login_page() as host:
        [(area, what)] = _page(quiet, host).wrong
    assert (area, "does not respond as a registry" in what) == ("registry", True)


@pytest.mark.parametrize("options", [("--insecure",), ()], ids=["plain", "asked which"])
def test_a_registry_that_never_answers_stops_nothing_else(
    quiet: Dockless, options: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it listens, and nobody accepts
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        page = _page(quiet, host, *options, "--write")
    [(area, what)] = page.wrong
    assert (area, "accepts connections but does not respond" in what) == ("registry", True)
    assert page.of("cache", "links")["facts"]["tried"] is True


def test_a_registry_behind_a_proxy_with_a_password_that_is_never_shown(
    program: Dockless, tmp_path: Path
) -> None:
    name, login = "registry.inside.example", Login("me", "pw")
    certificates = make(tmp_path / "certificates", name)
    with named(tmp_path / "inside", certificates, login, name) as there:
        proxy = there.proxy.url.replace("http://", "http://user:s3cretproxy@")
        extra = {"HTTPS_PROXY": proxy, "DOCKLESS_KEYRING": "kernel"}
        arguments = ("doctor", name, "--ca-file", certificates.ca, "--format", "json")
        done = replace(program, extra=extra).run(*arguments)
    page = Page(done)
    assert [area for area, _ in page.wrong] == ["registry"]  # there is no login for it
    assert page.of("proxies")["facts"]["proxy"] == there.proxy.url
    assert page.of("tls")["facts"]["issuer"] == "dockless test authority"
    assert set(there.proxy.asked) == {f"{name}:443"}
    assert all(header.startswith("basic ") for header in there.proxy.authorizations)
    assert "s3cretproxy" not in done.stdout + done.stderr


def test_a_proxy_that_is_no_url_is_named_and_not_shown(program: Dockless) -> None:
    extra = {"HTTPS_PROXY": "http://user:s3cretproxy@:port", "DOCKLESS_KEYRING": "kernel"}
    done = replace(program, extra=extra).run("doctor", "--format", "json")
    [problem] = Page(done).problems
    assert (problem["area"], problem["subject"]) == ("proxies", "HTTPS_PROXY")
    assert "s3cretproxy" not in done.stdout + done.stderr


def test_an_open_secret_service_keeps_and_forgets_what_the_doctor_writes(
    program: Dockless, desktop: SecretService
) -> None:
    there = replace(program, extra=desktop.environment)
    looked = _page(there).of("keyrings")
    assert (looked["state"], looked["facts"]["keyring"]) == ("ok", "secret-service")
    tried = _page(there, "--write").of("keyrings")
    assert (tried["state"], tried["what"]) == ("ok", "writes, reads and deletes")


@pytest.mark.parametrize("choice", ["kernel", "kernel-user"])
def test_the_kernels_keyrings_are_tried_with_write(program: Dockless, choice: str) -> None:
    there = replace(program, extra={"DOCKLESS_KEYRING": choice})
    assert _page(there, "--write").of("keyrings")["state"] == "ok"


def test_a_locked_secret_service_is_told_and_opens_no_dialog(program: Dockless) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="bus-") as folder,
        keyrings.secret_service(Path(folder)) as service,
    ):
        service.lock()
        there = replace(program, extra=service.environment)
        looked = _page(there).of("keyrings")
        assert (looked["state"], "it is locked" in looked["what"]) == ("note", True)
        tried = _page(there, "--write").of("keyrings")
    assert (tried["state"], "not tried: it is locked" in tried["what"]) == ("problem", True)


_STARTABLE = """[D-BUS Service]
Name=org.freedesktop.secrets
Exec=/bin/sh -c 'touch {mark}'
"""


def test_a_secret_service_that_does_not_run_is_not_started(
    program: Dockless, own_registry: Registry
) -> None:
    with tempfile.TemporaryDirectory(prefix="bus-") as text:
        folder, mark = Path(text), Path(text) / "started"
        (folder / "services").mkdir()
        service = folder / "services/org.freedesktop.secrets.service"
        service.write_text(_STARTABLE.format(mark=mark))
        with keyrings.bus(folder, folder / "services") as address:
            there = replace(program, extra={"DBUS_SESSION_BUS_ADDRESS": address})
            found = _page(there, own_registry.host).of("keyrings")
        assert (found["state"], "does not run yet" in found["what"]) == ("note", True)
        assert not mark.exists()


def test_a_daemon_that_answers_and_one_that_does_not(
    quiet: Dockless, old_docker: Docker, tmp_path: Path
) -> None:
    well = replace(quiet, extra={**quiet.extra, "DOCKER_HOST": old_docker.address})
    found = _page(well).of("containers", "docker")
    assert (found["state"], found["facts"]["answers"]) == ("ok", True)
    gone = f"unix://{tmp_path}/gone.sock"
    ill = replace(quiet, extra={**quiet.extra, "DOCKER_HOST": gone})
    [problem] = _page(ill).problems
    assert problem["what"].startswith(f"{gone} (DOCKER_HOST) does not respond")


@contextlib.contextmanager
def _nobody(**extra: str) -> Iterator[Dockless]:
    """Yield dockless as a user without a name, whose folders are its own."""
    with tempfile.TemporaryDirectory(prefix="nobody-") as folder:
        made = dockless(Path(folder) / "all", DOCKLESS_KEYRING="kernel-user", **extra)
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)
        user = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
        yield replace(made, before=("setpriv", *user))


def test_a_user_without_a_name_is_looked_after(own_registry: Registry) -> None:
    with _nobody() as program:
        page = _page(program, f"{own_registry.host}/nobody/app", "--write")
    assert page.wrong == []
    assert page.of("system", "dockless")["facts"]["user"] is None


def test_a_user_without_a_home_is_looked_after(own_registry: Registry) -> None:
    with _nobody() as made:
        unset = ("env", "-u", "HOME", "-u", "XDG_CACHE_HOME", "-u", "XDG_DATA_HOME")
        homeless = replace(made, before=(*made.before, *unset))
        page = _page(homeless, f"{own_registry.host}/nobody/app", "--write")
        assert page.wrong == []
        assert page.of("system", "HOME")["state"] == "note"


def test_a_home_of_somebody_else_is_told(own_registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    with _nobody(HOME=str(tmp_path / "home")) as program:
        page = _page(program, own_registry.host)
    assert page.of("system", "HOME")["state"] == "note"
    # a push would fail on them as well
    assert {area for area, _ in page.wrong} == {"logins", "registry"}
    assert page.of("registry", "/v2/")["state"] == "ok"


def test_a_configuration_that_cannot_be_read_is_named_and_the_rest_is_looked_at(
    own_registry: Registry,
) -> None:
    with _nobody() as program:
        (program.home / ".docker").mkdir()
        (program.home / ".docker/config.json").touch(mode=0)
        (program.project / "config").mkdir()
        (program.project / "config/deploy.yml").touch(mode=0)
        page = _page(program, own_registry.host)
    wrong = {one["subject"]: one["what"] for one in page.problems if one["area"] == "logins"}
    assert set(wrong) == {str(program.home / ".docker/config.json"), "project"}
    assert all("cannot be read" in what for what in wrong.values())
    assert page.of("engines", "crane")["state"] == "ok"
    assert page.of("registry", "/v2/")["state"] == "ok"


def test_a_socket_that_may_not_be_opened_is_told_with_the_remedy() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sock-") as folder,
        socket.socket(socket.AF_UNIX) as way,
    ):
        Path(folder).chmod(0o755)
        way.bind(f"{folder}/docker.sock")
        way.listen()
        Path(f"{folder}/docker.sock").chmod(0o600)
        with _nobody(DOCKER_HOST=f"unix://{folder}/docker.sock") as program:
            found = _page(program).of("containers", "docker")
    assert (found["state"], "permission denied" in found["what"]) == ("problem", True)
    assert "group `docker`" in found["remedy"]


def test_a_cache_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    with _nobody(DOCKLESS_CACHE_DIR=str(tmp_path / "cache")) as program:
        (tmp_path / "cache").mkdir(mode=0o755)
        [problem] = _page(program).problems
    assert problem["area"] == "cache"
    assert "DOCKLESS_CACHE_DIR" in problem["remedy"]


def test_programs_that_hang_are_given_up_and_leave_nothing_running(
    quiet: Dockless, tmp_path: Path
) -> None:
    """Every program of the tools hangs; each is a line, and none of them outlives the doctor."""
    folder = tmp_path / "bin"
    folder.mkdir()
    seconds = f"600.{time.monotonic_ns()}"  # tells these processes from all others
    for name in ("crane", "podman"):
        (folder / name).write_text(f"#!/bin/sh\nexec sleep {seconds}\n")
        (folder / name).chmod(0o755)
    path = f"{folder}:{quiet.environment()['PATH']}"
    page = _page(replace(quiet, extra={**quiet.extra, "PATH": path}))
    found = {one["subject"]: one["state"] for one in page.findings if one["area"] == "containers"}
    assert found["podman"] == "problem"
    hung = [one for one in page.findings if one["facts"].get("path") == str(folder / "crane")]
    assert ["did not finish" in one["what"] for one in hung] == [True]
    commands = [path.read_bytes() for path in _command_lines()]
    assert not [one for one in commands if seconds.encode() in one]


def _command_lines() -> Iterator[Path]:
    for process in Path("/proc").iterdir():
        path = process / "cmdline"
        if process.name.isdigit() and path.exists():
            yield path
