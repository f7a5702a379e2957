"""The password of a push stays in memory: it is in no child, no file and no output."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed import logins, secrecy
from bed.docker import Docker
from bed.dockless import Dockless, Result, dockless
from bed.fixtures import SAMPLE
from bed.registry import Login, Registry
from bed.secrecy import Watch
from bed.tools import slow_programs

_BUG = """
from {module} import {name} as broken

def bug(self, *arguments):
    raise RuntimeError(f"a bug that shows {{getattr(self, '__dict__', self)}}")

broken.{method} = bug
"""


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless with children that can be watched, and the registry that wants a password.

    Attributes:
        folder: A folder of programs that stands first on PATH.
        path: That PATH.
        engine: The engine.
        registry: The registry.
        login: Its account.
        push: The arguments of a push to the registry, without who we are.
    """

    folder: Path
    path: str
    engine: str
    registry: Registry
    login: Login
    push: tuple[str | Path, ...]

    def dockless(self, **extra: str) -> Dockless:
        return dockless(self.folder.parent / "dockless", PATH=self.path, **extra)

    @contextmanager
    def watching(self, program: Dockless) -> Iterator[Watch]:
        with secrecy.watching(self.login, program.folder, self.registry.storage) as watch:
            yield watch
        assert {"dockless", self.engine} <= watch.processes
        assert watch.files


@pytest.fixture(params=["crane", "skopeo"])
def bed(
    request: pytest.FixtureRequest,
    locked_registry: Registry,
    login: Login,
    old_archive: Path,
    tmp_path: Path,
) -> Bed:
    engine = str(request.param)
    folder = tmp_path / "programs"
    path = slow_programs(folder, ("crane", "skopeo", "docker"))
    target = f"{locked_registry.host}/secrecy/{tmp_path.name.lower()}:1"
    options = ("--image", target, "--ca-file", locked_registry.ca_file, "--engine", engine)
    return Bed(folder, path, engine, locked_registry, login, ("push", old_archive, *options))


def has_password(text: str, login: Login) -> bool:
    return any(form in text.encode() for form in secrecy.forms(login))


def assert_silent(result: Result, login: Login) -> None:
    assert not has_password(result.stdout, login)
    assert not has_password(result.stderr, login)


def test_a_password_on_stdin_is_in_no_process_and_no_file(bed: Bed) -> None:
    program, (user, password) = bed.dockless(), bed.login
    with bed.watching(program) as watch:
        as_user = ("--username", user, "--password-stdin")
        result = program.run(*bed.push, *as_user, stdin=f"{password}\n".encode())
    assert result.code == 0
    assert watch.found == set()
    assert_silent(result, bed.login)


def test_a_password_at_a_prompt_is_in_no_process_no_file_and_not_on_the_screen(bed: Bed) -> None:
    program, (user, password) = bed.dockless(), bed.login
    with bed.watching(program) as watch, program.terminal(*bed.push) as terminal:
        terminal.screen.expect("Username for .*: ")
        terminal.screen.sendline(user)
        terminal.screen.expect("Password for .*: ")
        terminal.screen.sendline(password)
        code, screen = terminal.finish()
    assert code == 0
    assert watch.found == set()
    assert not has_password(screen, bed.login)


def test_a_password_of_docker_s_file_is_in_no_process_and_no_other_file(bed: Bed) -> None:
    program = bed.dockless()
    logins.docker_file(program.home, logins.auths(bed.registry.host, bed.login))
    with bed.watching(program) as watch:
        result = program.run(*bed.push)
    assert result.code == 0
    assert watch.found == set()
    assert_silent(result, bed.login)


def test_a_password_of_a_helper_is_in_no_process_and_no_file(bed: Bed) -> None:
    program = bed.dockless()
    helper = logins.helper(bed.folder, "vault", bed.registry.host, bed.login)
    logins.docker_file(program.home, {"credsStore": "vault"})
    with bed.watching(program) as watch:
        result = program.run(*bed.push)
    assert result.code == 0
    assert helper.asked == [bed.registry.host]
    assert helper.program.name[:15] in watch.processes
    assert watch.found == set()
    assert_silent(result, bed.login)


def test_a_password_in_the_environment_reaches_no_child(bed: Bed, old_docker: Docker) -> None:
    user, password = bed.login
    folder = old_docker.context(bed.folder / "contexts", "near")  # so that its client is asked
    program = bed.dockless(
        DOCKLESS_USERNAME=user,
        DOCKLESS_PASSWORD=password,
        DOCKER_CONFIG=str(folder),
        DOCKER_CONTEXT="near",
    )
    _, _, *options = bed.push
    with bed.watching(program) as watch:
        result = program.run("push", SAMPLE, *options)
    assert result.code == 0
    assert "docker" in watch.processes
    assert watch.found
    assert all(re.fullmatch(r"environment of \d+ \(dockless\)", seen) for seen in watch.found)
    assert_silent(result, bed.login)


def test_the_logins_of_dockers_variable_reach_no_child(bed: Bed) -> None:
    variable = json.dumps(logins.auths(bed.registry.host, bed.login))
    program = bed.dockless(DOCKER_AUTH_CONFIG=variable)
    with bed.watching(program) as watch:
        result = program.run(*bed.push, "-v")
    assert result.code == 0
    assert watch.found
    assert all(re.fullmatch(r"environment of \d+ \(dockless\)", seen) for seen in watch.found)
    assert_silent(result, bed.login)


def test_a_password_on_the_command_line_reaches_no_child(bed: Bed) -> None:
    program, (user, password) = bed.dockless(), bed.login
    with bed.watching(program) as watch:
        result = program.run(*bed.push, "--username", user, "--password", password)
    assert result.code == 0
    assert "--password is visible in the process list" in result.stderr
    assert watch.found
    assert all(re.fullmatch(r"argv of \d+ \(dockless\)", seen) for seen in watch.found)
    assert_silent(result, bed.login)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--dry-run",), 0),
        (("--dry-run", "--format", "json"), 0),
        (("--format", "json"), 0),
        (("--explain",), 0),
        (("--username", "nobody"), 4),
        (("--username", "nobody", "--format", "json"), 4),
        (("--username", "no:body"), 2),
    ],
)
@pytest.mark.parametrize("bed", ["crane"], indirect=True)
def test_no_output_shows_the_password(bed: Bed, options: tuple[str, ...], code: int) -> None:
    user, password = bed.login
    program = bed.dockless(DOCKLESS_PASSWORD=password)
    who = () if "--username" in options else ("--username", user)
    result = program.run(*bed.push, *who, *options)
    assert result.code == code
    assert result.stdout or result.stderr
    for account in (user, "nobody"):
        assert_silent(result, Login(account, password))


@pytest.mark.parametrize(
    ("module", "name", "method"),
    [
        ("dockless.cli.options", "CommandOptions", "check"),
        ("dockless.registry.client", "RegistryClient", "tag"),
    ],
)
@pytest.mark.parametrize("bed", ["crane"], indirect=True)
def test_a_bug_is_logged_without_the_password(
    bed: Bed, tmp_path: Path, module: str, name: str, method: str
) -> None:
    user, password = bed.login
    startup = tmp_path / "startup"
    startup.mkdir()
    bug = _BUG.format(module=module, name=name, method=method)
    (startup / "sitecustomize.py").write_text(bug)
    program = bed.dockless(PYTHONPATH=str(startup))
    result = program.run(*bed.push, "--username", user, "--password", password)
    assert result.code == 70
    [log] = program.home.rglob("bug-*.log")
    assert "RuntimeError: a bug that shows" in log.read_text()
    assert "***" in log.read_text()
    assert not has_password(log.read_text(), bed.login)
    assert str(log) in result.stderr
    assert_silent(result, bed.login)
