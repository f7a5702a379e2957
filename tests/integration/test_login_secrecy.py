"""One password through login, pushes that work and fail, and everything that is printed: nowhere.

Every byte of output, log, cache, configuration, argv and environment is searched for it, plain, in
base64, URL-encoded and escaped as in JSON.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bed import secrecy
from bed.dockless import Dockless, Result
from bed.registry import Login, Registry
from bed.tools import slow_programs

_BUG = """
from dockless.{module} import {name} as broken

def bug(self, *arguments):
    found = arguments[0] if arguments else self
    raise RuntimeError(f"a bug that shows {{found!r}} and {{getattr(self, '__dict__', self)}}")

broken.{method} = bug
"""
_EVERYTHING = [
    ("push",),
    ("whoami",),
    ("whoami", "--format", "json"),
    ("push", "--explain"),
    ("push", "--dry-run"),
    ("push", "--dry-run", "--format", "json"),
    ("push", "--format", "json", "--tag", "json"),
    ("push", "--immutable", "--compression", "none"),
    ("push", "--username", "nobody"),
    ("push", "--engine", "skopeo", "--compression", "none", "--tag", "skopeo"),
    ("logout",),
]


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless in the folder of a project whose registry wants a password."""

    program: Dockless
    registry: Registry
    login: Login

    def log_in(self, password: str = "") -> Result:
        as_user = ("--username", self.login.username, "--password-stdin", "--remember")
        trust = ("--ca-file", self.registry.ca_file)
        given = (password or self.login.password).encode()
        return self.program.run("login", self.registry.host, *as_user, *trust, stdin=given)

    def shows(self, result: Result) -> bool:
        said = (result.stdout + result.stderr).encode()
        return any(form in said for form in secrecy.forms(self.login))


@pytest.fixture(params=["basic", "token"])
def bed(
    request: pytest.FixtureRequest,
    program: Dockless,
    login: Login,
    locked_registry: Registry,
    tmp_path: Path,
) -> Iterator[Bed]:
    registry = locked_registry
    if request.param == "token":
        registry = request.getfixturevalue("token_registry")
    path = slow_programs(tmp_path / "programs", ("crane", "skopeo"))
    extra = {"DOCKLESS_KEYRING": "kernel-user", "PATH": path}
    made = Bed(replace(program, extra=extra), registry, login)
    yield made
    made.program.run("logout", registry.host)


def test_a_password_shows_nowhere_from_login_to_logout(bed: Bed, old_archive: Path) -> None:
    trust = ("--ca-file", bed.registry.ca_file)
    folders = (bed.program.folder, bed.registry.storage)
    with secrecy.watching(bed.login, *folders) as watch:
        results = [bed.log_in()]
        for command, *options in _EVERYTHING:
            extra = (old_archive, *trust) if command == "push" else ()
            results.append(bed.program.run(command, *options, *extra))
    assert [result.code for result in results] == [0, 0, 0, 0, 0, 0, 0, 0, 5, 4, 0, 0]
    assert not any(bed.shows(result) for result in results)
    assert watch.found == set()
    assert {"dockless", "crane", "skopeo"} <= watch.processes


def test_a_wrong_password_shows_nowhere_either(bed: Bed) -> None:
    wrong = replace(bed, login=Login(bed.login.username, 'wröng"%\\+/=pass'))
    with secrecy.watching(wrong.login, bed.program.folder) as watch:
        result = wrong.log_in()
    assert result.code == 4
    assert not wrong.shows(result)
    assert watch.found == set()


@pytest.mark.parametrize(
    ("module", "name", "method"),
    [
        ("registry.client", "RegistryClient", "check"),
        ("credentials.keyring_logins", "KeyringLogins", "put"),
        ("credentials.keyctl", "Keyctl", "set_password"),
    ],
)
def test_a_bug_in_the_midst_of_a_login_is_logged_without_the_password(
    program: Dockless,
    locked_registry: Registry,
    login: Login,
    tmp_path: Path,
    module: str,
    name: str,
    method: str,
) -> None:
    startup = tmp_path / "startup"
    startup.mkdir()
    (startup / "sitecustomize.py").write_text(_BUG.format(module=module, name=name, method=method))
    extra = {"DOCKLESS_KEYRING": "kernel-user", "PYTHONPATH": str(startup)}
    bed = Bed(replace(program, extra=extra), locked_registry, login)
    with secrecy.watching(login, program.folder) as watch:
        result = bed.log_in()
    assert result.code in (4, 70)
    assert not bed.shows(result)
    assert watch.found == set()


def test_what_the_helper_is_told_and_tells_goes_through_pipes_alone(bed: Bed) -> None:
    helper = bed.program.script("docker-credential-dockless")
    server = bed.registry.host
    login = {"ServerURL": server, "Username": bed.login.username, "Secret": bed.login.password}
    with secrecy.watching(bed.login, bed.program.folder) as watch:
        assert helper.run("store", stdin=json.dumps(login).encode()).code == 0
        found = helper.run("get", stdin=server.encode())
        assert helper.run("erase", stdin=server.encode()).code == 0
    assert json.loads(found.stdout) == login
    assert watch.found == set()


def test_kamal_s_secrets_log_in_where_its_registry_is_meant(
    program: Dockless, locked_registry: Registry, login: Login, old_archive: Path
) -> None:
    user, password = login
    (program.project / "config").mkdir()
    (program.project / "config/deploy.yml").write_text(
        f"service: shop\nimage: team/shop\nregistry:\n  server: {locked_registry.host}\n"
        f"  username: {user}\n  password:\n    - REGISTRY_PASSWORD\n"
    )
    (program.project / ".kamal").mkdir()
    (program.project / ".kamal/secrets").write_text("REGISTRY_PASSWORD=$FROM_THE_VAULT\n")
    inside = replace(program, extra={"FROM_THE_VAULT": password, "VERSION": "v1"})
    trust = ("--ca-file", locked_registry.ca_file)
    with secrecy.watching(login, program.folder) as watch:
        done = inside.run("push", old_archive, *trust)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith(f"{locked_registry.host}/team/shop@")
    assert all("(dockless)" in place for place in watch.found)
    explained = inside.run("push", old_archive, "--explain")
    assert "its secret would be queried" in explained.stdout
