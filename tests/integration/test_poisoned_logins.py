"""No login is sent but the one for this push, whatever other programs have logged in to."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bed import logins, poison
from bed.dockless import Dockless, Result, dockless
from bed.engines import Program, programs
from bed.faults import FaultyRegistry, faulty
from bed.poison import PLACES, Account, Poison
from bed.registry import Login, docker_registry
from bed.tokens import TokenService, token_service

pytestmark = pytest.mark.sampled(11)

PROGRAMS = programs()
NAMED = [pytest.param(each.name, each, id=each.label) for each in PROGRAMS]
WRITERS = [
    *NAMED,
    *(pytest.param("auto", each, id=f"auto with {each.label}") for each in PROGRAMS),
    pytest.param("direct", None, id="direct"),
    pytest.param("auto", None, id="auto alone"),
]
# crane shows what it has to a registry that does not ask, too
UNASKED = [
    pytest.param(each.name, each, id=each.label) for each in PROGRAMS if each.name == "crane"
]
READERS = [*NAMED, pytest.param("direct", None, id="direct")]
# Of a machine's folders these are the test's own; the rest of /run no push needs.
_WITH_FOLDERS = """\
/bin/mount --bind "$0/run" /run && /bin/mount --bind "$0/containers" /etc/containers && exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A registry that takes tokens, with its token service; what both are shown is known.

    Attributes:
        proxy: What stands before both.
        tokens: The token service.
    """

    proxy: FaultyRegistry
    tokens: TokenService

    @property
    def host(self) -> str:
        """Its address."""
        return self.proxy.host

    def forget(self) -> None:
        """Start again."""
        self.proxy.headers.clear()
        self.tokens.asked.clear()

    def shown(self) -> set[str]:
        """Return whose login it was shown, in a header or in a form."""
        asked = {each.user for each in self.tokens.asked if each.user}
        return poison.shown(self.proxy.headers) | asked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registries")


@pytest.fixture(scope="module")
def free(folder: Path) -> Iterator[FaultyRegistry]:
    """A registry that wants no login."""
    (folder / "free").mkdir()
    with docker_registry(folder / "free") as behind, faulty(behind.host) as before:
        yield before


@pytest.fixture(scope="module")
def owner() -> Login:
    """The account of `locked`."""
    return Login("owner", "a password of its own")


@pytest.fixture(scope="module")
def locked(folder: Path, owner: Login) -> Iterator[FaultyRegistry]:
    """A registry that wants a password, that of `owner`."""
    (folder / "locked").mkdir()
    with docker_registry(folder / "locked", login=owner) as behind, faulty(behind.host) as before:
        yield before


@pytest.fixture(scope="module")
def guarded(folder: Path, login: Login) -> Iterator[Guarded]:
    """A registry that wants a token, which its service gives `login`."""
    (folder / "guarded").mkdir()
    with token_service(folder, login) as tokens, faulty("") as proxy:
        # newer cranes go to a private address for a token only where that is the registry's own
        proxy.elsewhere["/token"] = urlsplit(tokens.realm).netloc
        auth = tokens.settings()
        auth["token"]["realm"] = f"http://{proxy.host}/token"
        with docker_registry(folder / "guarded", login=login, auth=auth) as behind:
            proxy.upstream = behind.host
            yield Guarded(proxy, tokens)


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless, as an account that can be poisoned.

    Attributes:
        program: dockless.
        account: The account.
        archive: An image.
    """

    program: Dockless
    account: Account
    archive: Path

    def use(self, program: Program | None) -> "Bed":
        """Return the same with this engine and no other."""
        if program:
            (Path(self.account.programs) / program.name).symlink_to(program.path)
        return self

    def poisoned(self, made: Poison) -> "Bed":
        """Return the same with this poison."""
        machine = self.program.folder.parent / "machine"
        below = {"/run": machine / "run", "/etc/containers": machine / "containers"}
        poison.write(made, below)
        extra = {**self.program.extra, **made.environment}
        return replace(self, program=replace(self.program, extra=extra))

    def docker_login(self, host: str, login: Login) -> "Bed":
        """Return the same with a login that dockless finds before any other but the given one."""
        variable = json.loads(self.program.extra.get("DOCKER_AUTH_CONFIG", '{"auths": {}}'))
        variable["auths"][host] = logins.auth(login)
        extra = {**self.program.extra, "DOCKER_AUTH_CONFIG": json.dumps(variable)}
        return replace(self, program=replace(self.program, extra=extra))

    def pushed(self, guarded: Guarded, login: Login, host: str) -> tuple[str, str]:
        """Push the image to a registry, to be read from there.

        Returns:
            The source that it then is, and its name at another host.
        """
        done = self.push(guarded.host, "--engine", "direct", login=login)
        assert done.code == 0, done.stderr
        guarded.forget()
        return f"docker://{guarded.host}/{self.repository}:1", f"{host}/{self.repository}:1"

    @property
    def repository(self) -> str:
        """The path of a repository of its own."""
        return f"acme/{self.program.folder.parent.name.lower().strip('-_')}"

    def push(self, host: str, *arguments: str, login: Login | None = None) -> Result:
        """Push the image, as `login` with the password on stdin."""
        image = f"{host}/{self.repository}:1"
        given = "stdin" if login else ""
        return self.run(login, given, "push", self.archive, "--image", image, *arguments)

    def run(self, login: Login | None, given: str, *arguments: str | Path) -> Result:
        """Run a command with a login, which is given on stdin or by the environment."""
        if login and given == "environment":
            variables = {"DOCKLESS_USERNAME": login.username, "DOCKLESS_PASSWORD": login.password}
            program = replace(self.program, extra={**self.program.extra, **variables})
            return program.run(*arguments)
        options = ("--username", login.username, "--password-stdin") if login else ()
        return self.program.run(
            *arguments, *options, stdin=(login.password if login else "").encode()
        )

    def helper(self) -> str:
        """Return what the credential helper was asked for."""
        log = Path(self.account.asked)
        return log.read_text() if log.exists() else ""


@pytest.fixture
def bed(tmp_path: Path, packed: Path) -> Bed:
    bin_folder, scratch, machine = (tmp_path / name for name in ("bin", "scratch", "machine"))
    for each in (bin_folder, scratch, machine / "run"):
        each.mkdir(parents=True)
    shutil.copytree("/etc/containers", machine / "containers")
    empty = {"PATH": str(bin_folder), "DOCKLESS_TOOLS_DIR": str(tmp_path / "no-tools")}
    program = dockless(tmp_path / "dockless", **empty)
    before = ("/usr/bin/unshare", "--mount", "/bin/sh", "-c", _WITH_FOLDERS, str(machine))
    account = Account(
        home=str(program.home),
        config=str(program.folder / "config"),
        runtime=str(program.folder / "run"),
        scratch=str(scratch),
        programs=str(bin_folder),
    )
    return Bed(replace(program, before=before), account, packed)


@pytest.mark.parametrize(("engine", "program"), WRITERS)
def test_an_open_registry_is_shown_nothing(
    bed: Bed, free: FaultyRegistry, engine: str, program: Program | None
) -> None:
    free.headers.clear()
    made = poison.poison(bed.account, [free.host])
    done = bed.use(program).poisoned(made).push(free.host, "--engine", engine)
    assert done.code == 0, done.stderr
    assert free.headers
    assert poison.shown(free.headers) == set()
    assert bed.helper() == ""


@pytest.mark.parametrize(("engine", "program"), WRITERS)
def test_a_password_s_registry_is_shown_that_one_alone(
    bed: Bed, locked: FaultyRegistry, owner: Login, engine: str, program: Program | None
) -> None:
    locked.headers.clear()
    made = poison.poison(bed.account, [locked.host])
    done = bed.use(program).poisoned(made).push(locked.host, "--engine", engine, login=owner)
    assert done.code == 0, done.stderr
    assert poison.shown(locked.headers) == {owner.username}
    assert bed.helper() == ""


@pytest.mark.parametrize(("engine", "program"), WRITERS)
def test_a_token_service_is_shown_that_one_alone(
    bed: Bed, guarded: Guarded, login: Login, engine: str, program: Program | None
) -> None:
    guarded.forget()
    made = poison.poison(bed.account, [guarded.host])
    done = bed.use(program).poisoned(made).push(guarded.host, "--engine", engine, login=login)
    assert done.code == 0, done.stderr
    assert guarded.shown() == {login.username}
    assert bed.helper() == ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("engine", "program"), NAMED)
def test_no_place_alone_changes_that(
    bed: Bed, locked: FaultyRegistry, owner: Login, engine: str, program: Program, place: str
) -> None:
    locked.headers.clear()
    made = poison.poison(bed.account, [locked.host], [place])
    done = bed.use(program).poisoned(made).push(locked.host, "--engine", engine, login=owner)
    assert done.code == 0, done.stderr
    assert poison.shown(locked.headers) == {owner.username}
    assert bed.helper() == ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("engine", "program"), UNASKED)
def test_no_place_alone_makes_it_show_a_login_unasked(
    bed: Bed, free: FaultyRegistry, engine: str, program: Program, place: str
) -> None:
    free.headers.clear()
    made = poison.poison(bed.account, [free.host], [place])
    done = bed.use(program).poisoned(made).push(free.host, "--engine", engine)
    assert done.code == 0, done.stderr
    assert poison.shown(free.headers) == set()
    assert bed.helper() == ""


@pytest.mark.parametrize("given", ["stdin", "environment"])
@pytest.mark.parametrize(("engine", "program"), READERS)
def test_a_mirror_shows_either_registry_its_own_login(
    bed: Bed,
    guarded: Guarded,
    locked: FaultyRegistry,
    login: Login,
    owner: Login,
    engine: str,
    program: Program | None,
    given: str,
) -> None:
    locked.headers.clear()
    source, _ = bed.use(program).pushed(guarded, login, locked.host)
    ready = bed.poisoned(poison.poison(bed.account, [guarded.host, locked.host])).docker_login(
        guarded.host, login
    )
    argv = ("mirror", source, "--to", locked.host, "--engine", engine)
    done = ready.run(owner, given, *argv)
    assert done.code == 0, done.stderr
    assert guarded.shown() == {login.username}
    assert poison.shown(locked.headers) == {owner.username}
    assert bed.helper() == ""


@pytest.mark.parametrize("given", ["stdin", "environment"])
def test_a_push_shows_either_registry_its_own_login(
    bed: Bed, guarded: Guarded, locked: FaultyRegistry, login: Login, owner: Login, given: str
) -> None:
    locked.headers.clear()
    source, image = bed.use(PROGRAMS[0]).pushed(guarded, login, locked.host)
    ready = bed.docker_login(guarded.host, login)
    done = ready.run(owner, given, "push", source, "--image", image)
    assert done.code == 0, done.stderr
    assert guarded.shown() == {login.username}
    assert poison.shown(locked.headers) == {owner.username}
