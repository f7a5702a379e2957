from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.diagnosis.containers import Tool, _tool, check, judge
from dockless.model.finding import Finding, State
from dockless.sources.daemons import Contact, DaemonAddress

DOCKER = Tool(
    name="docker",
    version="28.5.1",
    address=DaemonAddress("unix:///var/run/docker.sock"),
    contact=Contact("answers", "API 1.51"),
)


def _one(tool: Tool) -> Finding:
    [found] = judge(tool)
    assert found.remedy or found.state != "problem"
    return found


def test_a_daemon_that_answers_is_well_with_or_without_a_client() -> None:
    found = _one(DOCKER)
    assert found.state == "ok"
    assert found.what == "answers at unix:///var/run/docker.sock, API 1.51; client 28.5.1"
    assert "no client" in _one(replace(DOCKER, version=None)).what


def test_a_docker_host_that_does_not_answer_is_named() -> None:
    address = DaemonAddress("tcp://build:2375", "DOCKER_HOST")
    found = _one(replace(DOCKER, address=address, contact=Contact("silent", "refused")))
    assert found.state == "problem"
    assert found.what == "tcp://build:2375 (DOCKER_HOST) does not respond: refused."
    assert "DOCKER_HOST" in found.remedy


def test_a_tool_that_fails_without_a_home_is_not_the_one_to_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "buildah"  # one without a daemon, for which no socket is opened
    program.write_text("#!/bin/sh\necho 'no home' >&2\nexit 125\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    gone = tmp_path / "gone"
    for home, named in ((gone, "Set HOME to"), (tmp_path, "Repair or remove buildah")):
        found = _one(_tool({"PATH": str(tmp_path), "HOME": str(home)}, home, "buildah"))
        assert found.remedy.startswith(named)
        assert ("HOME is" in found.what) == (home == gone)


def test_a_named_socket_that_is_not_there_is_a_problem() -> None:
    address = DaemonAddress("unix:///gone.sock", "DOCKER_HOST")
    found = _one(
        replace(DOCKER, address=address, contact=Contact("absent", "the socket does not exist"))
    )
    assert found.state == "problem"


def test_a_context_that_does_not_answer_or_is_unknown_is_named() -> None:
    address = DaemonAddress("unix:///gone.sock", "the docker context 'far'")
    found = _one(replace(DOCKER, address=address, contact=Contact("absent")))
    assert "'far'" in found.what
    assert "docker context use default" in found.remedy
    unknown = _one(replace(DOCKER, address="the docker context 'x' is unknown", contact=None))
    assert unknown.state == "problem"


def test_permission_denied_is_named_with_its_remedy() -> None:
    found = _one(replace(DOCKER, contact=Contact("denied")))
    assert "permission denied" in found.what
    assert "group `docker`" in found.remedy
    other = replace(DOCKER, name="nerdctl", contact=Contact("denied"))
    assert "nerdctl" in _one(other).remedy


def test_a_client_without_its_daemon_is_worth_a_note() -> None:
    assert _one(replace(DOCKER, contact=Contact("absent"))).state == "note"


def test_nothing_is_said_of_a_tool_that_is_not_there() -> None:
    assert list(judge(replace(DOCKER, version=None, contact=Contact("absent")))) == []
    assert list(judge(Tool(name="podman"))) == []


def test_what_is_not_asked_from_here_is_worth_a_note() -> None:
    address = DaemonAddress("ssh://build", "DOCKER_HOST")
    unasked = Contact("unasked", "ssh is used by the client only")
    assert _one(replace(DOCKER, address=address, contact=unasked)).state == "note"


def test_a_tool_without_a_daemon_is_well_and_one_that_hangs_is_not() -> None:
    assert _one(Tool(name="podman", version="5.8.0")).state == "ok"
    failed = Tool(name="podman", version="", failed="podman --version ends with status 125.")
    assert _one(failed).state == "note"
    assert _one(replace(failed, hangs=True)).state == "problem"


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo 'podman version 5.8.0'", "ok"),
        ("echo 'no user' >&2; exit 3", "note"),
        ("exec sleep 60", "problem"),
    ],
)
def test_a_program_is_asked_for_its_version_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: State
) -> None:
    monkeypatch.setattr("dockless.diagnosis.containers._PROGRAM_SECONDS", 1.0)
    monkeypatch.setattr("dockless.diagnosis.containers.contact", lambda *_, **__: Contact("absent"))
    program, told = tmp_path / "podman", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$*" >>{told}\n{script}\n')
    program.chmod(0o755)
    # not all of /bin: a real container tool may be there
    (tmp_path / "sleep").symlink_to("/bin/sleep")
    [found] = check({"PATH": str(tmp_path)}, tmp_path)
    assert told.read_text() == "--version\n"
    assert found.state == state
    assert state != "note" or found.what == "podman --version ends with status 3: no user."


def test_that_there_is_no_tool_at_all_is_worth_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockless.diagnosis.containers.contact", lambda *_, **__: Contact("absent"))
    [found] = [one for one in check({"PATH": str(tmp_path)}, tmp_path) if one.subject == "images"]
    assert found.state == "note"
