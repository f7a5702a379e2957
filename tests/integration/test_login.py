"""`dockless login`, `whoami` and `logout` on real keyrings and a registry that wants a password."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bed import keyrings, logins
from bed.dockless import Dockless, Result
from bed.failures import complaint
from bed.registry import Login, Registry
from bed.tokens import TokenService


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless before a registry that wants a password, with a keyring."""

    program: Dockless
    registry: Registry
    login: Login

    @property
    def trust(self) -> tuple[str | Path, ...]:
        return ("--ca-file", self.registry.ca_file)

    def log_in(self, *options: str | Path, password: str = "", host: str = "") -> Result:
        given = (password or self.login.password).encode() + b"\n"
        as_user = ("--username", self.login.username, "--password-stdin")
        where = host or self.registry.host
        return self.program.run("login", where, *as_user, *self.trust, *options, stdin=given)

    def push(self, archive: Path, *options: str, name: str = "app") -> Result:
        image = ("--image", f"{self.registry.host}/login/{name}:1")
        return self.program.run("push", archive, *image, *self.trust, *options)

    def whoami(self) -> list[dict[str, object]]:
        done = self.program.run("whoami", "--format", "json")
        assert done.code == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout)["logins"]
        return [login for login in found if login["registry"] == self.registry.host]

    def remembered(self) -> dict[str, str]:
        path = self.program.project / "docker-config.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found


@pytest.fixture(params=["kernel", "kernel-user", "secret-service"])
def keyring(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that leads to a keyring."""
    environment = {"DOCKLESS_KEYRING": str(request.param)}
    if request.param == "secret-service":
        environment |= request.getfixturevalue("desktop").environment
    return environment


def _bed(program: Dockless, registry: Registry, login: Login) -> Iterator[Bed]:
    (program.project / "Dockerfile").touch()  # else docker-config.json is not written
    yield Bed(program, registry, login)
    program.run("logout", registry.host)


@pytest.fixture
def bed(
    program: Dockless, locked_registry: Registry, login: Login, keyring: dict[str, str]
) -> Iterator[Bed]:
    yield from _bed(replace(program, extra=keyring), locked_registry, login)


@pytest.fixture
def kernel_bed(program: Dockless, locked_registry: Registry, login: Login) -> Iterator[Bed]:
    yield from _bed(replace(program, extra={"DOCKLESS_KEYRING": "kernel"}), locked_registry, login)


def test_from_login_to_push_to_logout(bed: Bed, old_archive: Path) -> None:
    assert bed.push(old_archive).code == 4
    done = bed.log_in()
    assert (done.code, done.stdout) == (0, "")
    assert f"Logged in to {bed.registry.host} as {bed.login.username}" in done.stderr
    assert bed.remembered() == {
        "registry": "private",
        "username": bed.login.username,
        "image": f"{bed.registry.host}/project",
        "namespace": "",
    }
    [known] = bed.whoami()
    assert known["username"] == bed.login.username
    assert "keyring" in str(known["keptIn"])
    assert bed.push(old_archive).code == 0
    gone = bed.program.run("logout", bed.registry.host)
    assert gone.code == 0
    assert bed.whoami() == []
    assert bed.remembered() == {}
    assert bed.push(old_archive, name="other").code == 4
    left = [path for path in bed.program.folder.rglob("*") if path.is_file()]
    assert [path for path in left if bed.registry.host.encode() in path.read_bytes()] == []


def test_after_a_login_a_push_from_the_same_folder_knows_where_to(
    kernel_bed: Bed, old_archive: Path
) -> None:
    assert kernel_bed.log_in().code == 0
    done = kernel_bed.program.run("push", old_archive, *kernel_bed.trust)
    assert done.code == 0
    assert done.stdout.startswith(f"{kernel_bed.registry.host}/project@sha256:")


def test_a_wrong_password_is_refused_and_not_kept(bed: Bed) -> None:
    done = bed.log_in(password="wrong")
    assert "rejects the credential" in complaint(done, 4)
    assert "wrong" not in done.stderr
    assert bed.whoami() == []
    assert bed.remembered() == {}


def test_a_wrong_password_leaves_the_right_one_in_place(kernel_bed: Bed, old_archive: Path) -> None:
    assert kernel_bed.log_in().code == 0
    assert kernel_bed.log_in(password="wrong").code == 4
    assert kernel_bed.push(old_archive).code == 0


def test_a_login_at_a_terminal_asks_for_what_is_missing(kernel_bed: Bed) -> None:
    argv = ("login", kernel_bed.registry.host, *kernel_bed.trust)
    with kernel_bed.program.terminal(*argv) as terminal:
        terminal.screen.expect("Username for .*: ")
        terminal.screen.sendline(kernel_bed.login.username)
        terminal.screen.expect("Password for .*: ")
        terminal.screen.sendline("a wrong one")
        terminal.screen.expect("rejects the credential")
        terminal.screen.expect("Username for .*: ")
        terminal.screen.sendline(kernel_bed.login.username)
        terminal.screen.expect("Password for .*: ")
        terminal.screen.sendline(kernel_bed.login.password)
        code, screen = terminal.finish()
    assert code == 0
    assert "Logged in to" in screen
    assert kernel_bed.login.password not in screen


def test_without_a_terminal_a_missing_password_is_a_usage_error(kernel_bed: Bed) -> None:
    done = kernel_bed.program.run("login", kernel_bed.registry.host, *kernel_bed.trust)
    assert "--password-stdin" in complaint(done, 2)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "form", ["https://{host}", "https://{host}/", "https://{host}/v2/", "{host}/", " {host} "]
)
def test_a_host_may_be_written_as_people_write_it(kernel_bed: Bed, form: str) -> None:
    done = kernel_bed.log_in(host=form.format(host=kernel_bed.registry.host))
    assert done.code == 0
    assert len(kernel_bed.whoami()) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("http://127.0.0.1:5000", "--insecure"),
        ("no_host", "is not a registry host"),
        ("host.example:port", "is not a registry host"),
        ("user@host.example", "is not a registry host"),
        ("", "is not a registry host"),
    ],
)
def test_a_host_that_is_none_is_a_usage_error(kernel_bed: Bed, host: str, said: str) -> None:
    done = kernel_bed.program.run("login", host, "--username", "me", "--password-stdin")
    assert said in complaint(done, 2)


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [("a:b", b"pw", "colon"), ("me", b"", "is empty"), ("me", b"\n", "is empty")],
)
def test_half_a_login_is_a_usage_error(
    kernel_bed: Bed, username: str, password: bytes, said: str
) -> None:
    argv = ("login", kernel_bed.registry.host, "--username", username, "--password-stdin")
    done = kernel_bed.program.run(*argv, *kernel_bed.trust, stdin=password)
    assert said in complaint(done, 2)


def test_a_login_for_one_namespace_serves_no_other(kernel_bed: Bed, old_archive: Path) -> None:
    assert kernel_bed.log_in(host=f"{kernel_bed.registry.host}/login").code == 0
    try:
        assert kernel_bed.push(old_archive).code == 0
        image = ("--image", f"{kernel_bed.registry.host}/other/app:1")
        assert kernel_bed.program.run("push", old_archive, *image, *kernel_bed.trust).code == 4
    finally:
        kernel_bed.program.run("logout", f"{kernel_bed.registry.host}/login")


def test_the_kernel_forgets_a_login_in_time(kernel_bed: Bed) -> None:
    assert kernel_bed.log_in("--ttl", "1h").code == 0
    [known] = kernel_bed.whoami()
    assert known["ends"]
    done = kernel_bed.log_in("--ttl", "1h", "--keyring", "file")
    assert "--ttl" in complaint(done, 2)


def test_without_a_keyring_the_error_says_what_would_help(kernel_bed: Bed) -> None:
    extra = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = replace(kernel_bed, program=replace(kernel_bed.program, extra=extra)).log_in()
    assert "has no keyring" in complaint(done, 4)
    assert "--keyring file" in done.stderr


@pytest.mark.parametrize("choice", ["keyrings.alt.file.PlaintextKeyring", "paper", "no.such.Thing"])
def test_a_keyring_that_is_none_or_not_safe_is_refused(kernel_bed: Bed, choice: str) -> None:
    done = kernel_bed.log_in("--keyring", choice)
    assert choice in complaint(done, 2)


def test_a_locked_keyring_is_one_clear_error_and_stops_no_push(
    program: Dockless, locked_registry: Registry, login: Login, old_archive: Path
) -> None:
    # in a short folder: the path of a socket has at most 108 bytes
    with (
        tempfile.TemporaryDirectory(prefix="bus-") as folder,
        keyrings.secret_service(Path(folder)) as service,
    ):
        extra = service.environment | {"DOCKLESS_KEYRING": "secret-service"}
        bed = Bed(replace(program, extra=extra), locked_registry, login)
        assert bed.log_in().code == 0
        service.lock()
        done = bed.log_in()
        assert "Unlock it" in complaint(done, 4)
        logins.docker_file(program.home, logins.auths(locked_registry.host, login))
        pushed = bed.push(old_archive)
    assert pushed.code == 0
    assert "Warning: The keyring (Secret Service)" in pushed.stderr


def test_several_accounts_live_side_by_side(kernel_bed: Bed, old_archive: Path) -> None:
    assert kernel_bed.log_in().code == 0
    stored = json.dumps(
        {"ServerURL": kernel_bed.registry.host, "Username": "other", "Secret": "wrong"}
    )
    helper = kernel_bed.program.script("docker-credential-dockless")
    assert helper.run("store", stdin=stored.encode()).code == 0
    names = [(one["username"], one["default"]) for one in kernel_bed.whoami()]
    assert sorted(names) == sorted([("other", True), (kernel_bed.login.username, False)])
    # what the project's file remembers goes before the keyring's default
    assert kernel_bed.push(old_archive).code == 0
    assert kernel_bed.push(old_archive, "--username", "other").code == 4
    kernel_bed.program.run("logout", kernel_bed.registry.host, "--username", "other")
    assert [one["username"] for one in kernel_bed.whoami()] == [kernel_bed.login.username]


def test_whoami_lists_what_other_tools_keep(kernel_bed: Bed) -> None:
    auths = logins.auths("other.example", Login("them", "their secret"))
    path = logins.docker_file(
        kernel_bed.program.home, auths | {"credHelpers": {"third.example": "vault"}}
    )
    done = kernel_bed.program.run("whoami")
    assert done.code == 0
    assert ["other.example", "them", str(path), "-"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert "docker-credential-vault" in done.stdout
    assert "secret" not in done.stdout
    assert kernel_bed.program.run("whoami", "other.example").code == 0
    assert kernel_bed.program.run("whoami", "nobody.example").code == 4


def test_explain_names_the_keyring_s_login(kernel_bed: Bed, old_archive: Path) -> None:
    assert kernel_bed.log_in().code == 0
    done = kernel_bed.push(old_archive, "--explain")
    assert done.code == 0
    assert f"keyring (kernel keyring): {kernel_bed.login.username}" in done.stdout


def test_configured_files_name_the_helper_until_logout(kernel_bed: Bed) -> None:
    docker = logins.docker_file(kernel_bed.program.home, {"HttpHeaders": {"X": "1"}})
    assert kernel_bed.log_in("--configure-docker", "--configure-containers").code == 0
    containers = kernel_bed.program.folder / "config" / "containers" / "auth.json"
    host = kernel_bed.registry.host
    assert json.loads(docker.read_text()) == {
        "HttpHeaders": {"X": "1"},
        "credHelpers": {host: "dockless"},
    }
    assert json.loads(containers.read_text()) == {"credHelpers": {host: "dockless"}}
    assert kernel_bed.program.run("logout", host).code == 0
    assert json.loads(docker.read_text()) == {"HttpHeaders": {"X": "1"}}
    assert json.loads(containers.read_text()) == {}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("broken", ["{", "[]", '{"credHelpers": 5}', "\udcff"])
@pytest.mark.parametrize("tool", ["docker", "containers"])
def test_a_broken_file_of_a_tool_does_not_keep_the_rest_from_a_logout(
    kernel_bed: Bed, tool: str, broken: str
) -> None:
    host, program = kernel_bed.registry.host, kernel_bed.program
    assert kernel_bed.log_in("--configure-docker", "--configure-containers").code == 0
    files = {
        "docker": program.home / ".docker" / "config.json",
        "containers": program.folder / "config" / "containers" / "auth.json",
    }
    path = files.pop(tool)
    (other,) = files.values()
    path.write_bytes(broken.encode(errors="surrogateescape"))
    done = program.run("logout", host)
    said = complaint(done, 2)
    assert str(path) in said
    assert f"the login for {host} ({kernel_bed.login.username})" in said
    assert f"docker-credential-dockless in {other}" in said
    assert kernel_bed.remembered() == {}
    assert "credHelpers" not in json.loads(other.read_text())
    path.write_text("{}")
    assert kernel_bed.whoami() == []
    path.write_bytes(broken.encode(errors="surrogateescape"))
    # nothing is stored, either, where the file is known to be broken
    assert str(path) in complaint(kernel_bed.log_in(f"--configure-{tool}"), 2)
    path.write_text("{}")
    assert kernel_bed.whoami() == []


@pytest.mark.parametrize("text", ["{", "servers: [", "- a"])
def test_a_broken_file_of_the_project_does_not_keep_a_login_from_its_logout(
    kernel_bed: Bed, text: str
) -> None:
    host, program = kernel_bed.registry.host, kernel_bed.program
    assert kernel_bed.log_in().code == 0
    deploy = program.project / "config" / "deploy.yml"
    deploy.parent.mkdir()
    deploy.write_text(text)
    done = program.run("logout", host)
    assert done.code == 0, done.stderr
    assert f"Logged out of {host}" in done.stderr
    assert "This logout continues without it." in done.stderr
    assert kernel_bed.remembered() == {}
    deploy.unlink()
    assert kernel_bed.whoami() == []


def test_a_login_at_a_token_service_gives_the_engine_no_password(
    program: Dockless,
    token_registry: Registry,
    tokens: TokenService,
    login: Login,
    old_archive: Path,
) -> None:
    kernel = replace(program, extra={"DOCKLESS_KEYRING": "kernel"})
    bed = Bed(kernel, token_registry, login)
    try:
        assert bed.log_in(password="wrong").code == 4
        assert bed.log_in().code == 0
        assert [asked.scope for asked in tokens.asked] == ["", ""]
        tokens.asked.clear()
        assert bed.push(old_archive, "--engine", "crane").code == 0
        wanted = "repository:login/app:pull,push"
        assert {(asked.user, asked.scope) for asked in tokens.asked} == {(login.username, wanted)}
        assert bed.push(old_archive, "--engine", "skopeo", name="second").code == 0
    finally:
        kernel.run("logout", token_registry.host)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["日本", "empty", "---"])
@pytest.mark.parametrize("fate", ["stays", "is removed"])
def test_a_login_works_from_any_folder(
    kernel_bed: Bed, old_archive: Path, tmp_path: Path, name: str, fate: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    end = "rmdir" if fate == "is removed" else "ls"
    shell = (
        "sh",
        "-c",
        'mkdir -p "$0" && cd "$0" && $1 "$0" >&2 && shift && exec "$@"',
        str(folder),
        end,
    )
    there = replace(kernel_bed, program=replace(kernel_bed.program, before=shell))
    done = there.log_in()
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert "Logged in to" in done.stderr
    assert "docker-config.json" not in done.stderr
    assert not (folder / "docker-config.json").exists()
    assert kernel_bed.push(old_archive).code == 0
    assert there.program.run("logout", kernel_bed.registry.host).code == 0


@pytest.mark.parametrize("folder", ["/", "/usr", "/sys/kernel", "/proc/self"])
def test_a_login_works_from_the_system_s_folders(kernel_bed: Bed, folder: str) -> None:
    shell = ("sh", "-c", 'cd "$0" && exec "$@"', folder)
    there = replace(kernel_bed, program=replace(kernel_bed.program, before=shell))
    done = there.log_in()
    assert done.code == 0, done.stderr
    assert not Path(folder, "docker-config.json").exists()
    assert len(kernel_bed.whoami()) == 1


@pytest.mark.parametrize(
    "text", ["service: a\nname: b\n", "service: <%= x %>\n", "servers: [\n", "[]\n"]
)
def test_a_project_s_broken_file_stops_no_login_at_a_named_host(kernel_bed: Bed, text: str) -> None:
    (kernel_bed.program.project / "config").mkdir()
    (kernel_bed.program.project / "config/deploy.yml").write_text(text)
    done = kernel_bed.log_in()
    assert done.code == 0, done.stderr
    assert "Warning: " in done.stderr
    assert "deploy.yml" in done.stderr


def test_after_a_login_elsewhere_what_was_typed_is_heard(kernel_bed: Bed) -> None:
    assert kernel_bed.log_in().code == 0
    assert kernel_bed.remembered()["image"].startswith(kernel_bed.registry.host)
    for options, target in (
        (("--registry", "ghcr", "--namespace", "acme"), "ghcr.io/acme/project:latest"),
        (("--image", "other.example/web:2"), "other.example/web:2"),
        (("--registry", "dockerhub", "--username", "you"), "docker.io/you/project:latest"),
    ):
        done = kernel_bed.program.run("push", "--explain", *options)
        assert done.code == 0, done.stderr
        assert target in done.stdout


def test_an_empty_folder_is_written_to_when_that_is_asked_for(kernel_bed: Bed) -> None:
    (kernel_bed.program.project / "Dockerfile").unlink()
    assert kernel_bed.log_in().code == 0
    assert kernel_bed.remembered() == {}
    image = f"{kernel_bed.registry.host}/x"
    for option in (("--remember",), ("--namespace", "team"), ("--image", image)):
        done = kernel_bed.log_in(*option)
        assert done.code == 0, done.stderr
        assert "records the registry" in done.stderr
        assert kernel_bed.remembered()["username"] == kernel_bed.login.username
        (kernel_bed.program.project / "docker-config.json").unlink()


@pytest.mark.parametrize("link", [False, True])
def test_a_file_of_docker_s_in_a_project_stays_as_it_is(
    kernel_bed: Bed,
    link: bool,  # noqa: FBT001 - a case
) -> None:
    text = '{"auths":{"ghcr.io":{"auth":"YTpi"}},"credHelpers":{"x.example":"y"}}'
    path = kernel_bed.program.project / "docker-config.json"
    if link:
        path.symlink_to("../docker-logins.json")
    path.write_text(text)
    assert "is left as it is" in complaint(kernel_bed.log_in("--remember"), 2)
    assert kernel_bed.whoami() == []
    done = kernel_bed.log_in()
    assert done.code == 0, done.stderr
    assert "Warning: docker-config.json was not written." in done.stderr
    assert "is left as it is" in done.stderr
    assert len(kernel_bed.whoami()) == 1
    assert kernel_bed.program.run("logout", kernel_bed.registry.host).code == 0
    assert path.read_text() == text
    assert path.is_symlink() == link


@pytest.mark.parametrize("option", ["--configure-docker", "--configure-containers"])
def test_a_tool_s_file_that_is_none_ends_the_login_before_anything_is_stored(
    kernel_bed: Bed, option: str
) -> None:
    folder = kernel_bed.program.folder
    for path in (
        kernel_bed.program.home / ".docker/config.json",
        folder / "config/containers/auth.json",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"credHelpers":5}')
    done = kernel_bed.log_in(option)
    assert "is not a file of registry logins" in complaint(done, 2)
    assert "Logged in" not in done.stderr
    assert kernel_bed.whoami() == []
    assert kernel_bed.remembered() == {}
    argv = ("login", kernel_bed.registry.host, "--username", "me", option, *kernel_bed.trust)
    with kernel_bed.program.terminal(*argv) as terminal:
        code, screen = terminal.finish()
    assert (code, "Password" in screen) == (2, False)
