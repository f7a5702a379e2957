"""Who dockless is to a registry that wants to know: logins of docker, podman and helpers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bed import logins
from bed.docker import Docker
from bed.dockless import Dockless, Result, dockless
from bed.failures import complaint
from bed.logins import Helper
from bed.process import output
from bed.registry import Login, Registry

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WRONG = "not the password"


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless before a registry that wants a password.

    Attributes:
        program: dockless, with `programs` first on PATH.
        programs: A folder for credential helpers.
        registry: The registry.
        login: Its account.
        archive: What is pushed.
    """

    program: Dockless
    programs: Path
    registry: Registry
    login: Login
    archive: Path

    @property
    def host(self) -> str:
        return self.registry.host

    def push(
        self, *options: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Result:
        """Push with these options, and this environment added."""
        program = replace(self.program, extra={**self.program.extra, **(extra or {})})
        name = self.program.folder.parent.name.lower()
        target = ("--image", f"{self.host}/credentials/{name}:1")
        trust = ("--ca-file", self.registry.ca_file)
        return program.run("push", self.archive, *target, *trust, *options, stdin=stdin)

    def write_docker(self, content: dict[str, object]) -> None:
        """Write Docker's file."""
        logins.docker_file(self.program.home, content)

    def write_containers(self, content: dict[str, object]) -> None:
        """Write podman's file."""
        path = self.program.folder / "run" / "containers" / "auth.json"
        path.parent.mkdir()
        path.write_text(json.dumps(content))

    def helper(self, name: str, server: str = "", password: str = "") -> Helper:
        """Install a credential helper that knows the registry, or another server."""
        login = Login(self.login.username, password or self.login.password)
        return logins.helper(self.programs, name, server or self.host, login)


@pytest.fixture
def bed(locked_registry: Registry, login: Login, old_archive: Path, tmp_path: Path) -> Bed:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = dockless(tmp_path / "dockless", PATH=f"{programs}:{_PATH}")
    return Bed(program, programs, locked_registry, login, old_archive)


def test_what_docker_login_wrote_is_used(bed: Bed, old_docker: Docker) -> None:
    folder = bed.program.home / ".docker"
    user, password = bed.login
    argv = ("docker", f"--host={old_docker.address}", f"--config={folder}", "login", bed.host)
    as_user = ("--username", user, "--password-stdin")
    output((*argv, *as_user), stdin=password.encode(), environment={"PATH": _PATH})
    assert bed.host in json.loads((folder / "config.json").read_text())["auths"]
    assert bed.push().code == 0


def test_what_podman_login_wrote_is_used(bed: Bed) -> None:
    user, password = bed.login
    authfile = bed.program.folder / "run" / "containers" / "auth.json"
    authfile.parent.mkdir()
    argv = ("podman", "login", f"--authfile={authfile}", "--tls-verify=false", bed.host)
    as_user = ("--username", user, "--password-stdin")
    environment = {"PATH": _PATH, "HOME": str(bed.program.home)}
    output((*argv, *as_user), stdin=password.encode(), environment=environment)
    assert bed.push().code == 0


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_helper_for_this_registry_is_used(bed: Bed, engine: str) -> None:
    helper = bed.helper("here")
    bed.write_docker({"credHelpers": {bed.host: "here", "other.example": "there"}})
    assert bed.push("--engine", engine).code == 0
    assert helper.asked == [bed.host]


def test_a_helper_for_every_registry_is_used(bed: Bed) -> None:
    helper = bed.helper("every")
    bed.write_docker({"credsStore": "every", "auths": {bed.host: {}}})
    assert bed.push().code == 0
    assert helper.asked == [bed.host]


def test_a_helper_for_this_registry_comes_before_the_one_for_every_registry(bed: Bed) -> None:
    here, every = bed.helper("here"), bed.helper("every", password=WRONG)
    bed.write_docker({"credHelpers": {bed.host: "here"}, "credsStore": "every"})
    assert bed.push().code == 0
    assert (here.asked, every.asked) == ([bed.host], [])


def test_what_one_place_lacks_the_next_one_has(bed: Bed) -> None:
    helper = bed.helper("every", server="other.example")
    bed.write_docker({"credsStore": "every"})
    bed.write_containers(logins.auths(bed.host, bed.login))
    assert bed.push().code == 0
    assert helper.asked == [bed.host]


def test_a_helper_that_is_not_installed_is_no_obstacle_when_it_is_for_every_registry(
    bed: Bed,
) -> None:
    bed.write_docker({"credsStore": "gone", **logins.auths(bed.host, bed.login)})
    assert bed.push().code == 0


def test_a_helper_that_is_not_installed_is_an_error_when_it_is_for_this_registry(
    bed: Bed,
) -> None:
    gone: dict[str, object] = {"credHelpers": {bed.host: "gone"}}
    bed.write_docker(gone)
    what = complaint(bed.push(), 4)
    assert f"docker-credential-gone failed for {bed.host}" in what
    assert "not installed" in what
    bed.write_docker(gone | logins.auths(bed.host, bed.login))
    done = bed.push()
    assert done.code == 0, done.stderr
    assert f"docker-credential-gone failed for {bed.host}" in done.stderr


def test_a_helper_that_fails_is_an_error_that_does_not_repeat_what_it_said(bed: Bed) -> None:
    helper = bed.helper("broken")
    helper.program.write_text(f"#!/bin/sh\necho '{WRONG}' | tee /dev/stderr\nexit 3\n")
    bed.write_docker({"credHelpers": {bed.host: "broken"}})
    what = complaint(bed.push(), 4)
    assert "docker-credential-broken failed" in what
    assert WRONG not in what


def test_a_login_for_another_registry_is_not_used(bed: Bed) -> None:
    bed.write_docker(logins.auths("127.0.0.1:1", bed.login))
    assert "requires a credential" in complaint(bed.push(), 4)


def test_a_wrong_password_is_refused_and_where_it_came_from_is_said(bed: Bed) -> None:
    options = ("--username", bed.login.username, "--password-stdin")
    what = complaint(bed.push(*options, stdin=WRONG.encode()), 4)
    assert f"{bed.host} rejects the credential of user {bed.login.username}" in what
    assert "(from standard input)" in what
    assert WRONG not in what


def test_a_wrong_password_of_a_file_is_refused_and_the_file_is_named(bed: Bed) -> None:
    bed.write_docker(logins.auths(bed.host, Login(bed.login.username, WRONG)))
    what = complaint(bed.push(), 4)
    assert str(bed.program.home / ".docker" / "config.json") in what


def test_a_password_without_a_username_is_a_usage_error(bed: Bed) -> None:
    what = complaint(bed.push("--password-stdin", stdin=bed.login.password.encode()), 2)
    assert "--username" in what


def test_an_empty_password_on_stdin_is_a_usage_error(bed: Bed) -> None:
    what = complaint(bed.push("--username", bed.login.username, "--password-stdin"), 2)
    assert "empty" in what


def test_a_username_without_a_password_takes_only_that_user_s_login(bed: Bed) -> None:
    bed.write_docker(logins.auths(bed.host, bed.login))
    assert bed.push("--username", bed.login.username).code == 0
    said = complaint(bed.push("--username", "somebody"), 4)
    own = bed.login.username
    assert f"No password for somebody: the stored login for {bed.host} is of {own}." in said


def test_a_file_that_is_not_json_is_a_usage_error(bed: Bed) -> None:
    path = logins.docker_file(bed.program.home, {})
    path.write_text(f"{{{WRONG}")
    what = complaint(bed.push(), 2)
    assert str(path) in what
    assert WRONG not in what


def test_each_place_comes_before_the_ones_below_it(bed: Bed) -> None:
    user, password = bed.login
    wrong = Login(user, WRONG)
    bed.write_containers(logins.auths(bed.host, bed.login))
    assert bed.push().code == 0
    bed.write_docker(logins.auths(bed.host, wrong))
    assert bed.push().code == 4
    variables = {"DOCKER_AUTH_CONFIG": json.dumps(logins.auths(bed.host, bed.login))}
    assert bed.push(extra=variables).code == 0
    variables["DOCKER_AUTH_CONFIG"] = json.dumps(logins.auths(bed.host, wrong))
    assert bed.push(extra=variables).code == 4
    variables |= {"DOCKLESS_USERNAME": user, "DOCKLESS_PASSWORD": password}
    assert bed.push(extra=variables).code == 0
    options = ("--username", user, "--password-stdin")
    assert bed.push(*options, stdin=WRONG.encode(), extra=variables).code == 4
    variables["DOCKLESS_PASSWORD"] = WRONG
    assert bed.push(extra=variables).code == 4
    assert bed.push(*options, stdin=password.encode(), extra=variables).code == 0


@pytest.mark.parametrize(
    "variable",
    ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE"],
)
def test_a_file_that_a_variable_names_is_used(bed: Bed, tmp_path: Path, variable: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(logins.auths(bed.host, bed.login)))
    named = {"DOCKER_CONFIG": tmp_path, "REGISTRY_AUTH_FILE": path}[variable]
    assert bed.push(extra={variable: str(named)}).code == 0


def test_explain_tells_the_places_and_runs_no_helper(bed: Bed) -> None:
    helper = bed.helper("here")
    bed.write_docker({"credHelpers": {bed.host: "here"}})
    result = bed.push("--explain")
    assert result.code == 0
    assert "docker-credential-here would be queried" in result.stdout
    assert helper.asked == []


def test_a_push_leaves_the_files_of_docker_and_podman_as_they_are(bed: Bed) -> None:
    path = logins.docker_file(bed.program.home, logins.auths(bed.host, bed.login))
    before = path.read_bytes()
    assert bed.push().code == 0
    assert path.read_bytes() == before
    assert [each for each in bed.program.home.rglob("*") if each.is_file()] == [path]
