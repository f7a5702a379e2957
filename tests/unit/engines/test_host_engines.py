"""What one host has to push with, and what is sent there for it."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from msgspec.structs import replace

from dockless.engines import skopeo
from dockless.engines.host_engines import EngineTarget, HostEngines, engine_there
from dockless.engines.on_host import CraneThere, SkopeoThere
from dockless.engines.probe import Abilities
from dockless.errors import EngineError
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.host import Exported, Facts, RegistryThere
from dockless.model.options import PushOptions
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from dockless.ports import Progress
from dockless.processes.programs import ProgramsHere
from dockless.processes.run import Finished
from fakes.engine_registry import FakeEngineRegistry
from fakes.progress import FakeProgress

if TYPE_CHECKING:
    from dockless.engines.installed import InstalledEngines

FOLDER = "/tmp/d"  # noqa: S108 - a path of a host
SHOP = Repository.of("registry.example.com", "team/shop")
POLICY = Path("/etc/containers/policy.json")
ENDPOINT = Endpoint(
    host="registry.example.com", plain_http=False, trust=Trust((Path("/certs/ca.crt"),))
)


class Host:
    """A host that is this machine, but keeps what is sent to it in memory."""

    def __init__(self, **programs: str) -> None:
        self.programs = ProgramsHere(os.environ)
        self.sent: dict[str, object] = {}
        self.facts = Facts(
            user="me",
            home="/home/me",
            system="Linux",
            machine=os.uname().machine,
            libc="99.0",
            clock=0.0,
            folder=FOLDER,
            runs=True,
            free=1,
            programs=programs,
        )

    def run(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str]) -> Finished:
        self.sent["run"] = (argv, stdin, environment)
        return Finished(0, b"", "")

    def read(self, path: str) -> bytes:
        return path.encode()

    def send_engine(self, program: Path, progress: Progress, *, keep: bool) -> str:
        progress.note(f"sending {program}")
        return f"{'/home/me' if keep else FOLDER}/crane"

    def send_certificates(self, authorities: Sequence[Path]) -> str:
        self.sent["certificates"] = tuple(authorities)
        return f"{FOLDER}/certificates"

    def send_settings(self, path: str, content: bytes) -> None:
        self.sent[path] = content

    def signature_policy(self) -> Path | None:
        return POLICY

    def reaches(self, endpoint: Endpoint) -> bool | None:
        return endpoint.host == SHOP.host


class Installed:
    """The engines of this machine: a program under the name of crane."""

    def __init__(self, program: str = sys.executable) -> None:
        self._program = program

    def selected(self, name: str) -> Abilities:
        if name != "crane":
            raise EngineError(f"{name} is not installed.")
        return Abilities(name=name, path=Path(self._program), features=frozenset())


def installed(program: str = sys.executable) -> "Callable[[], InstalledEngines]":
    return lambda: cast("InstalledEngines", Installed(program))


def engines(
    host: Host,
    program: str = sys.executable,
    engine: str = "auto",
    registry: FakeEngineRegistry | None = None,
) -> HostEngines:
    options = PushOptions(engine=engine)  # type: ignore[arg-type] # one of them
    target = EngineTarget(registry or FakeEngineRegistry(ENDPOINT), SHOP)
    return HostEngines(options, installed(program), host, target)


def test_a_copy_that_is_to_stay_is_remembered() -> None:
    progress = FakeProgress()
    made = engines(Host())
    assert made.copied(progress, keep=False) == f"{FOLDER}/crane"
    assert made.kept == ""
    assert made.copied(progress, keep=True) == made.kept == "/home/me/crane"
    assert progress.notes == [f"sending {sys.executable}"] * 2


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        ("auto", ""),
        ("direct", ""),
        ("crane", ""),
        ("skopeo", "skopeo is not installed"),
    ],
)
def test_the_engine_that_is_named_may_be_missing_here(engine: str, why: str) -> None:
    assert engines(Host(), engine=engine).missing_here() == why


def test_this_machines_crane_has_to_run_there(tmp_path: Path) -> None:
    script = tmp_path / "crane"
    script.write_text("#!/bin/sh\n")
    assert engines(Host()).misfit() == ""
    assert engines(Host(), str(script)).misfit().startswith(f"{script} is not for Linux")


def test_without_crane_here_none_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object, name: str) -> Abilities:
        raise EngineError(f"{name} is not installed.")

    monkeypatch.setattr(Installed, "selected", none)
    assert engines(Host()).misfit() == "crane is not installed"


@pytest.mark.parametrize(("name", "fails"), [("crane", True), ("skopeo", True)])
def test_an_engine_there_is_asked_for_its_help(tmp_path: Path, name: str, *, fails: bool) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o700)
    host = Host(**{name: str(program)})
    assert ("exit status 3" in engines(host).unusable(name)) == fails


@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_what_an_engine_needs_is_sent_before_it_starts(name: str) -> None:
    host = Host()
    registry = FakeEngineRegistry(ENDPOINT, Credential(username="me", password=Secret("pw")))
    made = engines(host, registry=registry)
    env = made.prepared(name, f"/usr/bin/{name}", RegistryThere(environment={"A": "1"}))
    assert host.sent["certificates"] == ENDPOINT.trust.ca_files
    assert (env.program, env.certificates) == (f"/usr/bin/{name}", f"{FOLDER}/certificates")
    sent = env.authfile()
    assert sent is not None
    assert b"bWU6cHc=" in sent
    assert env.environment == {"A": "1"}
    assert env.policy == (POLICY if name == "skopeo" else None)
    logins = f"{FOLDER}/home/{skopeo.LOGINS_PATH}"
    assert host.sent.get(logins) == (skopeo.LOGINS.encode() if name == "skopeo" else None)
    kind = CraneThere if name == "crane" else SkopeoThere
    assert type(engine_there(name, env, Exported(path="/srv/layout", is_layout=True))) is kind


def test_the_questions_about_the_registry_are_answered_with_its_credential() -> None:
    token = Credential(username="", password=Secret(""), registry_token=Secret("token"))
    plain = Credential(username="me", password=Secret("pw"))
    for credential, has in ((token, True), (plain, False), (None, False)):
        made = engines(Host(), registry=FakeEngineRegistry(ENDPOINT, credential))
        assert made.has_registry_token() == has
        assert made.reaches()
        assert made.exposed_by("skopeo", SHOP) == "skopeo would show the password of team/shop"
        assert made.exposed_by("crane", None) == ""


def test_without_a_credential_an_engine_there_gets_no_authfile() -> None:
    env = engines(Host()).prepared("crane", "/usr/bin/crane", RegistryThere())
    assert env.authfile() is None


@pytest.mark.parametrize("port", [40000, 40001, 443])
def test_a_registry_at_another_port_there_is_reached_with_its_own_login(port: int) -> None:
    host = Host()
    registry = FakeEngineRegistry(ENDPOINT, Credential(username="me", password=Secret("pw")))
    reached = RegistryThere(host=f"localhost:{port}")
    env = engines(host, registry=registry).prepared("crane", "/usr/bin/crane", reached)
    assert env.endpoint == replace(ENDPOINT, host=f"localhost:{port}")
    assert list(json.loads(env.authfile() or b"")["auths"]) == [f"localhost:{port}"]
