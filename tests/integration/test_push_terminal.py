"""What people see while they wait and what they are asked; and what a log gets instead."""

import io
import re
from pathlib import Path

import pexpect
import pytest

from bed import images
from bed.docker import Docker
from bed.dockless import SCRIPT, Dockless, Terminal, dockless
from bed.failures import complaint
from bed.faults import Fault, FaultyRegistry, Gate
from bed.fixtures import SAMPLE
from bed.registry import Login, Registry
from bed.tap import tap

_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 120
"""The longest wait for something to be shown."""
_COLOR = re.compile(r"\x1b\[[\d;]*m")
_CONTROL = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An OCI archive of one layer that is larger than what sockets hold."""
    layout = images.Layout(tmp_path / "large")
    program = images.layer(tmp_path / "program.tar", ["usr/bin/skopeo"])
    layout.top(layout.image([program], compressed=False, **images.named("1")))
    return images.archive(layout.folder, tmp_path / "large.tar")


@pytest.fixture
def gate(faulty_registry: FaultyRegistry) -> Gate:
    """Holds a large upload after every half megabyte."""
    gate = Gate(tuple(range(500_000, 16_000_000, 500_000)))
    faulty_registry.faults.append(Fault("PATCH", "/blobs/uploads/", gate, times=9))
    return gate


def shown(terminal: Terminal) -> tuple[int, str]:
    """Wait for the end; return the exit status and the screen without control characters."""
    code, screen = terminal.finish()
    return code, _CONTROL.sub("", screen)


def test_a_bar_for_staging_shows_bytes_and_rate(
    old_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    target = f"{registry.host}/terminal/staging:1"
    with tap(old_docker.socket) as slow:
        slow.pause = 0.1
        program = dockless(tmp_path / "dockless", DOCKER_HOST=slow.address)
        with program.terminal("push", SAMPLE, "--image", target) as terminal:
            code, screen = shown(terminal)
    assert code == 0
    assert re.search(r"staging docker image sample:1 +━[━ ]+[\d.]+/\? MB +[\d.]+ MB/s", screen)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_bar_for_the_upload_shows_bytes_rate_and_time_left(
    program: Dockless, faulty_registry: FaultyRegistry, large: Path, gate: Gate, engine: str
) -> None:
    target = f"{faulty_registry.host}/terminal/uploading:1"
    argv = ("push", large, "--image", target, "--engine", engine)
    with program.terminal(*argv) as terminal:
        terminal.screen.logfile_read = log = io.StringIO()
        # a rate needs several looks at the engine's counters, with some more sent before each
        while terminal.screen.expect([r"\d\d:\d\d", pexpect.TIMEOUT], timeout=1):
            gate.open()
        gate.leave_open()
        code, _ = terminal.finish()
    assert code == 0
    bar = r"uploading +━[━╸╺ ]*[\d.]+/16\.3 MB +[\d.]+ [kM]B/s +\d+:\d\d"
    assert re.search(bar, _CONTROL.sub("", log.getvalue()))
    assert _COLOR.search(log.getvalue())


def test_no_color_leaves_the_bars_and_takes_the_colours(
    tmp_path: Path, faulty_registry: FaultyRegistry, large: Path, gate: Gate
) -> None:
    program = dockless(tmp_path / "dockless", NO_COLOR="1")
    target = f"{faulty_registry.host}/terminal/colours:1"
    with program.terminal("push", large, "--image", target) as terminal:
        terminal.screen.logfile_read = log = io.StringIO()
        terminal.screen.expect("uploading +━", timeout=_SECONDS)
        gate.leave_open()
        code, _ = terminal.finish()
    assert code == 0
    assert not _COLOR.search(log.getvalue())


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    tmp_path: Path, registry: Registry, old_archive: Path
) -> None:
    program = dockless(tmp_path / "dockless", TERM="dumb")
    target = f"{registry.host}/terminal/dumb:1"
    with program.terminal("push", old_archive, "--image", target) as terminal:
        code, screen = terminal.finish()
    assert code == 0
    assert "uploading: " in screen
    assert "\x1b" not in screen


def test_a_log_gets_plain_lines(program: Dockless, registry: Registry, old_archive: Path) -> None:
    target = f"{registry.host}/terminal/lines:1"
    result = program.run("push", old_archive, "--image", target)
    lines = result.stderr.splitlines()
    assert result.code == 0
    assert lines[0] == f"Target: {target}"
    assert all(line.isprintable() for line in lines)
    assert any(re.match("uploading", line) for line in lines)
    assert re.fullmatch(rf"Pushed {target} \(5 layers sent, .*, verified\)", lines[-1])


def test_the_line_for_an_upload_that_succeeded_says_that_all_was_sent(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    target = f"{registry.host}/terminal/whole:1"
    # nothing is sent before a program starts, so all of it is sent in the time that is shown
    result = program.run("push", old_archive, "--image", target, "--engine", "crane")
    assert result.code == 0
    assert re.search(r"^uploading: [\d.]+ MB in [\d.]+ s, .*/s$", result.stderr, re.MULTILINE)


def test_quiet_says_nothing_on_stderr(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    target = f"{registry.host}/terminal/quiet:1"
    result = program.run("push", old_archive, "--image", target, "--quiet")
    assert (result.code, result.stderr) == (0, "")
    assert re.fullmatch(rf"{registry.host}/terminal/quiet@sha256:\w{{64}}\n", result.stdout)


def test_quiet_shows_the_result_only_at_a_terminal(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    target = f"{registry.host}/terminal/silent:1"
    with program.terminal("push", old_archive, "--image", target, "-q") as terminal:
        code, screen = terminal.finish()
    assert code == 0
    assert re.fullmatch(rf"{registry.host}/terminal/silent@sha256:\w{{64}}\r?\n", screen)


def locked(registry: Registry, source: Path, name: str) -> tuple[str | Path, ...]:
    target = f"{registry.host}/terminal/{name}:1"
    return ("push", source, "--image", target, "--ca-file", registry.ca_file)


def test_an_empty_password_is_asked_for_and_not_shown(
    program: Dockless, locked_registry: Registry, old_archive: Path, login: Login
) -> None:
    argv = locked(locked_registry, old_archive, "empty")
    with program.terminal(*argv, "--username", login.username, "--password", "") as terminal:
        terminal.screen.expect_exact(f"Password for {login.username} at {locked_registry.host}: ")
        terminal.screen.sendline(login.password)
        code, screen = terminal.finish()
    assert code == 0
    assert login.password not in screen


def test_a_registry_that_wants_a_credential_makes_dockless_ask_for_it(
    program: Dockless, locked_registry: Registry, old_archive: Path, login: Login
) -> None:
    with program.terminal(*locked(locked_registry, old_archive, "asked")) as terminal:
        terminal.screen.expect_exact(f"Username for {locked_registry.host}: ")
        terminal.screen.sendline(login.username)
        terminal.screen.expect_exact(f"Password for {login.username} at {locked_registry.host}: ")
        terminal.screen.sendline(login.password)
        code, screen = terminal.finish()
    assert code == 0
    assert login.password not in screen


def test_a_username_that_is_known_is_not_asked_for(
    program: Dockless, locked_registry: Registry, old_archive: Path, login: Login
) -> None:
    argv = locked(locked_registry, old_archive, "known")
    with program.terminal(*argv, "--username", login.username) as terminal:
        terminal.screen.expect_exact("Password for ")
        assert "Username" not in (terminal.screen.before or "")
        terminal.screen.expect_exact(f"{login.username} at {locked_registry.host}: ")
        terminal.screen.sendline(login.password)
        assert terminal.finish()[0] == 0


def test_a_prompt_leaves_stdout_to_the_result(
    program: Dockless, locked_registry: Registry, old_archive: Path, login: Login, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    argv = tuple(map(str, locked(locked_registry, old_archive, "stdout")))
    redirected = ("sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(out))
    command = (*redirected, str(SCRIPT), *argv)
    with Terminal(command, program.environment(), program.project) as terminal:
        terminal.screen.expect_exact("Username for ")
        terminal.screen.sendline(login.username)
        terminal.screen.expect("Password for .*: ")
        terminal.screen.sendline(login.password)
        assert terminal.finish()[0] == 0
    repository = f"{locked_registry.host}/terminal/stdout"
    assert re.fullmatch(rf"{repository}@sha256:\w{{64}}\n", out.read_text())


def test_control_c_at_a_prompt_ends_it(
    program: Dockless, locked_registry: Registry, old_archive: Path
) -> None:
    with program.terminal(*locked(locked_registry, old_archive, "interrupted")) as terminal:
        terminal.screen.expect_exact("Username for ")
        terminal.screen.send("\x03")
        code, screen = terminal.finish()
    assert code == 130
    assert "Interrupted." in screen
    assert "Traceback" not in screen


def test_without_a_terminal_a_registry_that_wants_a_credential_fails(
    program: Dockless, locked_registry: Registry, old_archive: Path
) -> None:
    result = program.run(*locked(locked_registry, old_archive, "nobody"))
    what = complaint(result, 4)
    assert locked_registry.host in what
    assert "--password-stdin" in what


def test_without_a_terminal_an_empty_password_is_a_usage_error(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    target = f"{registry.host}/terminal/empty:1"
    result = program.run("push", old_archive, "--image", target, "--password", "")
    assert "--password-stdin" in complaint(result, 2)


def test_a_private_registry_without_a_host_is_asked_for(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    with program.terminal("push", old_archive, "--registry", "private") as terminal:
        terminal.screen.expect_exact("Registry (HOST or HOST:PORT): ")
        terminal.screen.sendline(registry.host)
        code, screen = terminal.finish()
    assert code == 0
    assert f"Target: {registry.host}/project:latest" in screen


def test_an_answer_that_is_no_host_of_azure_s_is_a_usage_error(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    with program.terminal("push", old_archive, "--registry", "acr") as terminal:
        for _ in range(3):
            terminal.screen.expect_exact("Registry (HOST or HOST:PORT): ")
            terminal.screen.sendline(registry.host)
        code, screen = terminal.finish()
    assert code == 2
    assert f"--registry asks for acr, but {registry.host} of" in screen


@pytest.mark.parametrize("kind", ["acr", "private"])
def test_without_a_terminal_a_registry_without_a_host_is_a_usage_error(
    program: Dockless, old_archive: Path, kind: str
) -> None:
    what = complaint(program.run("push", old_archive, "--registry", kind), 2)
    assert kind in what
    assert "--image" in what
    assert "`registry.server` in config/deploy.yml" in what


def buildable(folder: Path, docker: Docker) -> Dockless:
    """Return dockless in a project with a Dockerfile, before a daemon that has its base."""
    program = dockless(
        folder / "dockless",
        PATH=_SYSTEM_PATH,
        DOCKER_HOST=docker.address,
        DOCKER_BUILDKIT="0",
    )
    (program.project / "Dockerfile").write_text("FROM dockless-base:1\nENV OFFERED=yes\n")
    return program


def assert_lists_images(said: str, daemon: Docker) -> None:
    """See that up to ten names are told, all the daemon's; other tests make images there, too."""
    unbroken = "".join(said.split())
    told = re.split(r"\.Check|;|\.podman", unbroken.partition("dockerhas:")[2])[0].split(",")
    names = daemon.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert 1 <= len(told) <= 10
    assert set(told) <= set(names)


def test_an_image_that_is_not_there_is_built_when_people_want_it(
    old_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    program = buildable(tmp_path, old_docker)
    target = f"{registry.host}/terminal/image:offered"
    with program.terminal("push", "--image", target) as terminal:
        terminal.screen.expect_exact("Build it now? [y/N]: ")
        said = terminal.screen.before or ""
        terminal.screen.sendline("y")
        code, screen = terminal.finish()
    assert f"There is no local image {target}" in said
    assert_lists_images(said, old_docker)
    assert code == 0
    assert f"{registry.host}/terminal/image@sha256:" in screen


def test_an_image_that_is_not_there_is_not_built_when_nobody_wants_it(
    old_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    program = buildable(tmp_path, old_docker)
    target = f"{registry.host}/terminal/image:declined"
    with program.terminal("push", "--image", target) as terminal:
        terminal.screen.expect_exact("Build it now? [y/N]: ")
        terminal.screen.sendline("")
        code, screen = terminal.finish()
    assert code == 3
    assert "Building" not in screen


def test_without_a_terminal_an_image_that_is_not_there_fails(
    old_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    program = buildable(tmp_path, old_docker)
    target = f"{registry.host}/terminal/image:missing"
    what = complaint(program.run("push", "--image", target), 3)
    bare = "terminal/image:missing or image:missing"
    assert f"no local image {target}, {bare}." in what
    assert_lists_images(what, old_docker)
    assert "--build" in what


@pytest.mark.parametrize("option", [(), ("--password",)])
@pytest.mark.parametrize("wrong", [1, 3])
def test_a_wrong_password_is_asked_for_again(
    program: Dockless,
    locked_registry: Registry,
    old_archive: Path,
    login: Login,
    wrong: int,
    option: tuple[str, ...],
) -> None:
    argv = locked(locked_registry, old_archive, f"again{wrong}{len(option)}")
    with program.terminal(*argv, "--username", login.username, *option) as terminal:
        for typed in [f"{login.password}x"] * wrong + [login.password] * (wrong < 3):
            terminal.screen.expect_exact(f"Password for {login.username} at ")
            terminal.screen.sendline(typed)
        code, screen = shown(terminal)
    assert code == (0 if wrong < 3 else 4), screen
    assert "Password for" not in screen
    assert login.password not in screen


@pytest.mark.parametrize("options", [("--password-stdin",), ("--password",)])
def test_a_password_that_is_awaited_is_asked_for_and_not_shown(
    program: Dockless,
    locked_registry: Registry,
    old_archive: Path,
    login: Login,
    options: tuple[str, ...],
) -> None:
    argv = locked(locked_registry, old_archive, "awaited")
    with program.terminal(*argv, "--username", login.username, *options) as terminal:
        terminal.screen.expect("Password .*: ")
        terminal.screen.sendline(login.password)
        code, screen = terminal.finish()
    assert code == 0, screen
    assert login.password not in screen


def test_an_archive_that_is_awaited_at_a_terminal_is_said(
    program: Dockless, registry: Registry
) -> None:
    target = f"{registry.host}/terminal/awaited:1"
    with program.terminal("push", "-", "--image", target, "-q") as terminal:
        terminal.screen.expect_exact("read from standard input, and that is a terminal")
        terminal.screen.send("\x03")
        code, _ = terminal.finish()
    assert code == 130
