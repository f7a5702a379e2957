import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.processes import run as module
from dockless.processes.children import child_environment
from dockless.processes.run import run, run_visibly, stream

ENVIRONMENT = {"PATH": os.defpath, "KEPT": "1", "DOCKLESS_PASSWORD": "hunter2"}


def shell(lines: str) -> tuple[str, ...]:
    return ("sh", "-c", lines)


def test_a_program_runs_to_its_end_and_all_it_said_comes_back() -> None:
    done = run(shell("cat; echo oops >&2; exit 3"), ENVIRONMENT, stdin=b"in \xff put")
    assert (done.code, done.stdout, done.stderr) == (3, b"in \xff put", "oops")


def test_words_that_are_not_utf8_are_replaced() -> None:
    assert run(shell(r"printf 'caf\351' >&2"), ENVIRONMENT).stderr == "caf\ufffd"


def test_a_child_sees_nothing_of_our_own_settings() -> None:
    said = run(("env",), ENVIRONMENT).stdout.decode()
    assert "KEPT=1" in said
    assert "hunter2" not in said
    assert child_environment(ENVIRONMENT, "env") == {"PATH": os.defpath, "KEPT": "1"}


@pytest.mark.parametrize(
    ("program", "gets"),
    [("docker", True), ("docker-credential-x", False), ("podman", False), ("./docker", False)],
)
def test_the_logins_of_dockers_variable_reach_docker_alone(program: str, *, gets: bool) -> None:
    environment = {"PATH": os.defpath, "DOCKER_AUTH_CONFIG": "hunter2"}
    assert ("DOCKER_AUTH_CONFIG" in child_environment(environment, program)) == gets


def test_a_program_runs_where_it_is_told_to(tmp_path: Path) -> None:
    assert run(("pwd",), ENVIRONMENT, cwd=tmp_path).stdout.decode().strip() == str(tmp_path)


def test_a_program_that_a_signal_ends_has_a_negative_code() -> None:
    assert run(shell("kill -9 $$"), ENVIRONMENT).code == -9


def _read(argv: tuple[str, ...]) -> None:
    with stream(argv, ENVIRONMENT) as running:
        running.stdout.read()


@pytest.mark.parametrize(
    "start",
    [
        lambda argv: run(argv, ENVIRONMENT),
        lambda argv: run_visibly(argv, ENVIRONMENT, "."),
        _read,
    ],
    ids=["run", "run_visibly", "stream"],
)
def test_a_program_that_is_not_there_is_an_error(
    start: Callable[[tuple[str, ...]], object],
) -> None:
    with pytest.raises(EngineError, match="absent cannot be started: No such file"):
        start(("absent",))


def test_a_program_that_does_not_answer_is_ended() -> None:
    with pytest.raises(EngineError, match="sleep did not finish within 0 seconds"):
        run(("sleep", "60"), ENVIRONMENT, timeout=0.1)


def test_what_is_for_people_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_visibly(shell("echo built; exit 2"), ENVIRONMENT, ".") == 2
    assert capfd.readouterr() == ("", "built\n")


def test_a_stream_is_read_while_the_program_writes() -> None:
    with stream(shell("echo one; read x; echo $x"), ENVIRONMENT) as running:
        assert running.stdout.readline() == b"one\n"
        assert running.stdout.read() == b"\n"
        done = running.finish()
    assert (done.code, done.stdout, done.stderr) == (0, b"", "")


def test_how_a_streams_program_ended_is_known_afterwards() -> None:
    with stream(shell("echo half; echo oops >&2; exit 4"), ENVIRONMENT) as running:
        running.stdout.read()
        done = running.finish()
    assert (done.code, done.stderr) == (4, "oops")


def test_a_program_that_closes_its_output_and_stays_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.2)
    with stream(shell("exec sleep 60 >&-"), ENVIRONMENT) as running:
        assert running.stdout.read() == b""
        with pytest.raises(EngineError, match="does not end"):
            running.finish()


@pytest.mark.parametrize("trap", ["", "trap '' TERM;"])
def test_a_program_ends_with_its_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.5)
    lines = f"{trap} echo $$ > '{tmp_path}/pid'; echo; while :; do sleep 0.1; done"
    with stream(shell(lines), ENVIRONMENT) as running:
        running.stdout.readline()
    number = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 120
    while _lives(number) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _lives(number)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
