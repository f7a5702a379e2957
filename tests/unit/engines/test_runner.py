import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockless.engines.memory import in_memory
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Shell, path_of
from dockless.errors import (
    AuthError,
    EngineError,
    LostCopyError,
    NetworkError,
    PushError,
    UnexplainedError,
)
from dockless.model.secret import Secret
from fakes.progress import FakeTask

HOST = "registry.example.com"
Script = Callable[[str], Path]
SURROUNDINGS = {
    "PATH": os.defpath,
    "HTTPS_PROXY": "http://proxy.example.com",
    "DOCKLESS_PASSWORD": "hunter2",
    "DOCKER_CONFIG": "/somewhere",
    "DOCKER_AUTH_CONFIG": "hunter2",
    "HOME": "/somewhere",
    "LC_ALL": "tlh",
}


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Make an engine of a few lines of shell."""

    def write(lines: str) -> Path:
        path = tmp_path / "crane"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture(params=[True, False], ids=["one-shell", "a-shell-each"], autouse=True)
def lasts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start all engines from one shell, and each from its own, as where there is no /proc."""
    monkeypatch.setattr("dockless.engines.shell._LASTS", request.param)


@pytest.fixture
def runner(tmp_path: Path) -> Callable[..., Runner]:
    def make(**limits: float) -> Runner:
        return Runner(SURROUNDINGS, tmp_path / "home", HOST, Limits(**limits), Shell())

    return make


def run(runner: Runner, program: Path, *arguments: str, **extra: str) -> str:
    return runner.run(program, arguments, extra, set())


def test_an_engine_gets_its_arguments_as_they_are_and_its_stdout_comes_back(
    runner: Callable[..., Runner], script: Script
) -> None:
    program = script('printf "%s|" "$@"')
    assert run(runner(), program, "push", "a b", "$HOME", "") == "push|a b|$HOME||"


def test_an_engine_sees_a_home_of_its_own_and_only_what_a_network_program_needs(
    runner: Callable[..., Runner], script: Script, tmp_path: Path
) -> None:
    seen = _environment(run(runner(), script("env"), REGISTRY_AUTH_FILE="/dev/fd/9"))
    home = str(tmp_path / "home")
    shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {key: text for key, text in seen.items() if key not in shell} == {
        "PATH": os.defpath,
        "HTTPS_PROXY": "http://proxy.example.com",
        "HOME": home,
        "XDG_RUNTIME_DIR": home,
        "TMPDIR": home,
        "LC_ALL": "C",
        "REGISTRY_AUTH_FILE": "/dev/fd/9",
    }
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def _environment(text: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: rest for key, _, rest in pairs}


def test_an_engine_inherits_the_files_it_is_given_and_no_others(
    runner: Callable[..., Runner], script: Script, tmp_path: Path
) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(other, True)  # noqa: FBT003 - os has it so
    with in_memory(Secret("the authfile")) as given:
        program = script(f"cat {path_of(given)}; test ! -e /dev/fd/{other} || echo leaked")
        said = runner().run(program, (), {}, {given})
    os.close(other)
    assert said == "the authfile"


def test_an_engine_that_fails_is_an_error_in_our_words(
    runner: Callable[..., Runner], script: Script
) -> None:
    program = script('echo "Error: POST x: DENIED: no" >&2; exit 1')
    with pytest.raises(AuthError, match=f"{HOST} does not allow the push: POST x: DENIED: no"):
        run(runner(), program)


def test_an_engine_that_a_signal_ends_is_an_error(
    runner: Callable[..., Runner], script: Script
) -> None:
    with pytest.raises(PushError, match="crane failed"):
        run(runner(), script("kill -9 $$"))


@pytest.mark.parametrize("content", [None, b"\x7fELF of another machine"])
def test_an_engine_that_cannot_start_is_an_engine_error(
    runner: Callable[..., Runner], tmp_path: Path, content: bytes | None
) -> None:
    program = tmp_path / "crane"
    if content:
        program.write_bytes(content)
        program.chmod(0o755)
    with pytest.raises(EngineError, match="cannot be started") as caught:
        run(runner(), program)
    assert caught.value.exit_code == 7


def test_an_engine_is_ended_at_the_deadline(runner: Callable[..., Runner], script: Script) -> None:
    program = script("while :; do echo busy; done")
    with pytest.raises(NetworkError, match="--timeout") as caught:
        run(runner(deadline=time.monotonic() + 0.3), program)
    assert not caught.value.passing


def test_an_engine_that_moves_no_byte_is_ended_and_may_be_tried_again(
    runner: Callable[..., Runner], script: Script
) -> None:
    with pytest.raises(NetworkError, match="transferred no byte") as caught:
        run(runner(stall=0.5), script("exec sleep 60"))
    assert caught.value.passing


def test_an_engine_that_moves_bytes_does_not_stall(
    runner: Callable[..., Runner], script: Script
) -> None:
    program = script("for i in 1 2 3 4 5 6 7 8; do sleep 0.2; echo $i; done")
    assert run(runner(stall=1.0), program).split()[-1] == "8"


def test_what_an_engine_writes_is_told_while_it_runs(
    runner: Callable[..., Runner], script: Script, tmp_path: Path
) -> None:
    task = FakeTask("uploading", None)
    program = script(
        f"dd if=/dev/zero of='{tmp_path}/sent' bs=1000 count=1000 2>&-; sleep 1; echo; exec sleep 1"
    )
    runner().run(program, (), {}, set(), task)
    assert task.done > 0


def test_an_interrupt_ends_the_engine(
    runner: Callable[..., Runner], script: Script, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    program = script(
        f"trap 'exit 3' TERM; echo $$ > '{started}.new'; mv '{started}.new' '{started}'\n"
        "while :; do sleep 0.1; done"
    )
    threading.Thread(target=_interrupt_once, args=(started,)).start()
    with pytest.raises(KeyboardInterrupt):
        run(runner(), program)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def _interrupt_once(started: Path) -> None:
    """Interrupt the main thread once the engine runs."""
    end = time.monotonic() + 120
    while not started.exists() and time.monotonic() < end:
        time.sleep(0.02)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_one_runner_runs_many_engines_after_failures_too(
    runner: Callable[..., Runner], script: Script
) -> None:
    running = runner(stall=0.3)
    with pytest.raises(NetworkError, match="transferred no byte"):
        run(running, script("exec sleep 60"))
    for number in range(3):
        assert run(running, script(f"echo {number}; echo said >&2")) == f"{number}\n"


def test_much_output_on_both_streams_is_no_deadlock(
    runner: Callable[..., Runner], script: Script
) -> None:
    program = script("dd if=/dev/zero bs=1000 count=1000 2>&- | tee /dev/stderr")
    assert len(run(runner(), program)) == 1_000_000


@pytest.mark.parametrize("name", ["home/dir/manifest.json", "layout-x/index.json", "layout-x/b/1"])
def test_an_engine_that_misses_a_file_of_the_push_is_not_at_fault(
    runner: Callable[..., Runner], script: Script, tmp_path: Path, name: str
) -> None:
    program = script(f'echo "Error: open {tmp_path}/{name}: no such file or directory" >&2; exit 1')
    with pytest.raises(LostCopyError, match="deleted"):
        run(runner(), program)
    program = script('echo "Error: open /etc/passwd: no such file or directory" >&2; exit 1')
    with pytest.raises(UnexplainedError):
        run(runner(), program)


@pytest.mark.parametrize(
    "name",
    ["layout-x/blobs/sha256/0a", "layout-x/blobs/sha512/0a", "home/dir/0a", "host-0/l/b/x/0a"],
)
@pytest.mark.parametrize(
    "words", ["Error: open {}: no such file or directory", "fatal: {}: No such file or directory"]
)
def test_a_blob_that_a_layout_never_had_was_not_deleted(
    runner: Callable[..., Runner], script: Script, tmp_path: Path, name: str, words: str
) -> None:
    layout = tmp_path / Path(name).parts[0] / (Path(name).parts[1] if "blobs" not in name else "")
    layout.mkdir(parents=True, exist_ok=True)
    (layout / ("manifest.json" if "dir" in name else "index.json")).touch()
    program = script(f'echo "{words.format(tmp_path / name)}" >&2; exit 1')
    with pytest.raises(UnexplainedError):
        run(runner(), program)


def test_a_home_that_was_deleted_is_made_again(
    runner: Callable[..., Runner], script: Script, tmp_path: Path
) -> None:
    made = runner()
    for _ in range(2):
        run(made, script('test -d "$HOME"'))
        (tmp_path / "home").rmdir()
    assert made.home.is_dir()


@pytest.mark.parametrize("seconds", [0.0, 1.0, 60.0])
def test_no_engine_is_started_once_the_time_is_over(
    runner: Callable[..., Runner], script: Script, tmp_path: Path, seconds: float
) -> None:
    engine = script(f"touch '{tmp_path}/ran'")
    with pytest.raises(NetworkError, match=f"The request to {HOST} did not finish within"):
        runner(deadline=time.monotonic() - seconds).run(engine, (), {}, set())
    assert not (tmp_path / "ran").exists()
