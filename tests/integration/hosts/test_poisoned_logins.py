"""No login is sent but the one for this push, whatever the hosts' accounts have logged in to."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bed import poison
from bed.docker import Docker
from bed.dockless import dockless
from bed.engines import Program, programs
from bed.faults import FaultyRegistry, faulty
from bed.fixtures import SAMPLE
from bed.fleet import Admin, Key
from bed.hosts import Host, Network, Traits, host
from bed.poison import Account
from bed.registry import Login, Registry, docker_registry
from bed.tokens import TokenService, token_service
from bed.tools import SYSTEM_PATH

pytestmark = pytest.mark.sampled(5)

PROGRAMS = programs()
WAYS = {"crane": ("invoke", "copy", "tunnel"), "skopeo": ("invoke",)}
KINDS = ("open", "password", "tokens")
CASES = [
    pytest.param(program, way, kind, id=f"{program.label}-{way}-{kind}")
    for program in PROGRAMS
    for way in WAYS[program.name]
    for kind in KINDS
    # skopeo is not given a token, which it takes as an argument only
    if (program.name, kind) != ("skopeo", "tokens")
]
CLIENTS = {"curl": (), "wget": ("curl",)}


@dataclass(frozen=True, slots=True)
class Target:
    """A registry that hosts reach; what it is shown is known, and its token service, too.

    Attributes:
        proxy: What stands before both.
        registry: The registry, at the address of the proxy.
        tokens: The token service.
    """

    proxy: FaultyRegistry
    registry: Registry
    tokens: TokenService

    def shown(self) -> set[str]:
        """Return whose login it was shown, in a header or in a form."""
        asked = {each.user for each in self.tokens.asked if each.user}
        return poison.shown(self.proxy.headers) | asked


@pytest.fixture
def target(
    tmp_path: Path, bridge: Network, login: Login
) -> Callable[[str], contextlib.AbstractContextManager[Target]]:
    """Return what starts a registry of a kind."""

    @contextlib.contextmanager
    def start(kind: str) -> Iterator[Target]:
        folder = tmp_path / "registry"
        folder.mkdir()
        with token_service(folder, login) as tokens, faulty("", bridge.far) as proxy:
            proxy.elsewhere["/token"] = urlsplit(tokens.realm).netloc
            auth = tokens.settings()
            auth["token"]["realm"] = f"http://{proxy.host}/token"
            known = None if kind == "open" else login
            wanted = auth if kind == "tokens" else None
            with docker_registry(folder, login=known, auth=wanted) as behind:
                proxy.upstream = behind.host
                yield Target(proxy, replace(behind, host=proxy.host), tokens)

    return start


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A host on which every place has a login of somebody else.

    Attributes:
        host: The host.
        account: Its account.
    """

    host: Host
    account: Account

    def helper(self) -> str:
        """Return what the credential helper was asked for."""
        return self.host.run(f"cat {self.account.asked} 2>/dev/null || true")


@pytest.fixture
def poisoned(
    host_folder: Path, bridge: Network, key: Key, numbers: Iterator[int], old_docker: Docker
) -> Callable[..., contextlib.AbstractContextManager[Poisoned]]:
    """Return what starts a host with one engine, poisoned for a registry."""

    @contextlib.contextmanager
    def start(registry: str, program: Program, hidden: tuple[str, ...] = ()) -> Iterator[Poisoned]:
        number = next(numbers)
        tools = host_folder / f"poisoned-{number}-tools"
        tools.mkdir()
        shutil.copy(program.path, tools / program.name)
        account = Account(
            home="/root",
            config="/root/config",
            runtime="/root/runtime",
            scratch="/root/scratch",
            programs=str(tools),
        )
        made = poison.poison(account, [registry])
        lacks = [name for name in ("crane", "skopeo", "podman") if name != program.name]
        traits = Traits(
            docker=old_docker.socket,
            programs=tools,
            hidden=(*lacks, *hidden),
            sshd=_set_environment(made.environment),
        )
        with host(
            host_folder / f"poisoned-{number}", bridge, number, traits, key.public
        ) as running:
            running.run("mount -t tmpfs tmpfs /etc/containers/registries.conf.d")
            for path, text in made.texts().items():
                running.run(f"mkdir -p {Path(path).parent}")
                running.write(path, text.encode())
            running.run(f"chmod 755 {tools}/docker-credential-*")
            yield Poisoned(running, account)

    return start


def _set_environment(variables: Mapping[str, str]) -> str:
    return "SetEnv " + " ".join(f"'{name}={text}'" for name, text in variables.items())


@pytest.fixture
def pushing(tmp_path: Path, key: Key) -> Callable[[Target, Program, Host], Admin]:
    """Return what gives dockless with one engine, and the key of a host."""

    def build(target: Target, program: Program, made: Host) -> Admin:
        folder = program.alone(tmp_path / "bin")
        here = {"PATH": f"{folder}:{SYSTEM_PATH}", "DOCKLESS_TOOLS_DIR": str(tmp_path / "none")}
        ours = dockless(tmp_path / "admin", **here)
        key.give(ours.home)
        admin = Admin(ours, target.registry, tmp_path)
        admin.knows(made)
        return admin

    return build


@pytest.mark.parametrize(("program", "way", "kind"), CASES)
def test_an_account_s_logins_are_not_sent(
    target: Callable[[str], contextlib.AbstractContextManager[Target]],
    poisoned: Callable[..., contextlib.AbstractContextManager[Poisoned]],
    pushing: Callable[[Target, Program, Host], Admin],
    login: Login,
    program: Program,
    way: str,
    kind: str,
) -> None:
    with target(kind) as registry, poisoned(registry.proxy.host, program) as made:
        admin = pushing(registry, program, made.host)
        argv = ("--host", made.host.target, "--source", SAMPLE, "--via", way, "--insecure")
        done = admin.run("acme/poisoned:1", *argv)
        assert done.code == 0, done.stderr
        assert registry.proxy.headers
        assert registry.shown() == (set() if kind == "open" else {login.username})
        assert made.helper() == ""


@pytest.mark.parametrize(("client", "hidden"), CLIENTS.items())
def test_neither_is_that_of_the_client_that_looks_for_a_route(
    target: Callable[[str], contextlib.AbstractContextManager[Target]],
    poisoned: Callable[..., contextlib.AbstractContextManager[Poisoned]],
    pushing: Callable[[Target, Program, Host], Admin],
    login: Login,
    client: str,
    hidden: tuple[str, ...],
) -> None:
    program = PROGRAMS[0]
    with target("password") as registry, poisoned(registry.proxy.host, program, hidden) as made:
        admin = pushing(registry, program, made.host)
        argv = ("--host", made.host.target, "--source", SAMPLE, "--insecure", "--format", "json")
        done = admin.run("acme/poisoned:1", *argv)
        assert done.code == 0, done.stderr
        assert json.loads(done.stdout)["hosts"][0]["way"] == "invoke"
        agents = {headers.get("User-Agent", "").lower() for headers in registry.proxy.headers}
        assert [agent for agent in agents if agent.startswith(client)]
        assert registry.shown() == {login.username}
