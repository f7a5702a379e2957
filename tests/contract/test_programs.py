"""One suite for the programs of a machine: this one's, and a host's over SSH."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.fleet import Key
from bed.hosts import Host
from bed.process import busy
from dockless.errors import EngineError
from dockless.model.typed_server import parse_host
from dockless.processes.programs import Programs, ProgramsHere
from dockless.ssh.config import find_route
from dockless.ssh.connection import Ssh, connect
from dockless.ssh.executor import RemoteShell
from dockless.ssh.keys import KeyFiles
from dockless.ssh.workdir import workdir

ODD = """it's "odd" $(id) `id`; id # \\ ! %s ü"""


@pytest.fixture
def host_shell(docker_host: Host, key: Key, tmp_path: Path) -> Iterator[RemoteShell]:
    """Connect to a host and make our folder there."""
    key.give(tmp_path)
    (tmp_path / ".ssh/known_hosts").write_text(docker_host.known())
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    ssh = Ssh(
        find_route=lambda server: find_route(server, environment),
        keys=KeyFiles(lambda _: None),
        accept_new=False,
        note=print,
    )
    with (
        connect(parse_host(docker_host.target), ssh) as transport,
        workdir(RemoteShell(transport, docker_host.address, 10.0)) as place,
    ):
        yield place.shell


@pytest.fixture(params=["here", "host"])
def programs(request: pytest.FixtureRequest) -> Programs:
    if request.param == "here":
        return ProgramsHere(os.environ)
    shell: RemoteShell = request.getfixturevalue("host_shell")
    return shell


def test_what_can_be_started_is_known(programs: Programs) -> None:
    assert programs.has("docker")
    assert not programs.has("no-such-program")


def test_a_file_is_one_and_a_folder_is_none(programs: Programs) -> None:
    assert programs.is_file("/etc/passwd")
    assert not programs.is_file("/etc")
    assert not programs.is_file(f"/{ODD}")


def test_an_argument_arrives_as_it_is(programs: Programs) -> None:
    done = programs.run(("printf", "<%s>", ODD, "", "-n"))
    assert (done.code, done.stdout.decode(), done.stderr) == (0, f"<{ODD}><><-n>", "")


def test_status_and_streams_are_told_apart(programs: Programs) -> None:
    done = programs.run(("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert (done.code, done.stdout, done.stderr) == (3, b"out\n", "err")


def test_nobody_types_anything(programs: Programs) -> None:
    assert programs.run(("cat",)).stdout == b""


def test_what_is_not_there_cannot_be_started(programs: Programs) -> None:
    with pytest.raises(EngineError, match="/no/such/program cannot be started"):
        programs.run(("/no/such/program",))


def test_a_stream_is_read_while_it_is_written(programs: Programs) -> None:
    with programs.stream(("sh", "-c", "echo first; sleep 0.2; head -c 5000000 /dev/zero")) as run:
        assert run.stdout.read(6) == b"first\n"
        rest = 0
        while data := run.stdout.read(1 << 20):
            rest += len(data)
        assert rest == 5_000_000
        assert run.finish().code == 0


def test_much_talk_on_stderr_does_not_block_a_stream(programs: Programs) -> None:
    script = "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo done >&2; echo out"
    with programs.stream(("sh", "-c", script)) as run:
        assert run.stdout.read() == b"out\n"
        assert run.finish().stderr.splitlines()[-1] == "done"


def test_a_stream_that_is_left_early_ends_its_program(programs: Programs) -> None:
    with programs.stream(("yes",)) as run:
        assert run.stdout.read(2) == b"y\n"


def test_what_is_for_people_goes_to_stderr(
    programs: Programs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path) if isinstance(programs, ProgramsHere) else "/"
    assert programs.run_visibly(("sh", "-c", "pwd; echo err >&2; exit 4"), folder) == 4
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.split() == [folder, "err"]


def test_work_on_a_host_leaves_no_process_however_short_it_is(host_shell: RemoteShell) -> None:
    folder = host_shell.folder.rpartition("/")[2].replace(".", "[.]")
    look = f"grep -lsa {folder} /proc/[0-9]*/environ; true"
    with busy(4):
        for number in range(60):
            assert host_shell.work(("sleep", f"0.00{number % 6}")).code == 0
            assert host_shell.script(look).stdout == b""
