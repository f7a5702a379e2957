"""A check of hosts within a time limit."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from dockless import concurrency
from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.diagnosis import host_checks
from dockless.diagnosis.host_checks import HostChecks, WantedCheck, check_hosts
from dockless.diagnosis.host_transfer import CheckedHost, transfer
from dockless.engines.installed import InstalledEngines
from dockless.errors import AuthError, EngineError, NetworkError
from dockless.model.endpoint import Endpoint
from dockless.model.host import Facts
from dockless.model.server import Server
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.processes.run import Finished
from dockless.report.hosts import Checked, check_document, check_text
from dockless.sources.local_images import LocalImage
from dockless.sources.on_host import HostImage
from dockless.sources.spec_there import SourceThere
from dockless.ssh.workdir import seconds_ahead

pytestmark = pytest.mark.timeout(30)
SERVERS = [Server(address=f"{name}.example", user="me") for name in ("one", "two", "three")]


@pytest.fixture
def over() -> Iterator[Event]:
    """The command's time is over at once; hosts that hang go on once the event is set."""
    event = Event()
    concurrency.end_by(time.monotonic())
    yield event
    event.set()
    concurrency.end_by(None)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_hosts_that_hang_are_given_up_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, over: Event, at_once: int
) -> None:
    @contextlib.contextmanager
    def hang(*_: object) -> Iterator[object]:
        over.wait(60)
        if over.is_set():
            raise AuthError("Late.")
        yield None

    monkeypatch.setattr(host_checks, "shell_on", hang)
    found = check_hosts(SERVERS, wanted(), nobody(), at_once)
    assert [each.server for each in found] == SERVERS
    for each in found:
        assert isinstance(each.error, NetworkError)
        assert each.error.what == f"The check of {each.server} did not finish within --timeout."


def test_what_a_host_answers_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(server: Server, *_: object) -> None:
        raise AuthError(f"{server.address} refuses.")

    monkeypatch.setattr(host_checks, "shell_on", refuse)
    found = check_hosts(SERVERS, wanted(), nobody(), 2)
    assert [str(each.error) for each in found] == [f"{each.address} refuses." for each in SERVERS]


def wanted() -> WantedCheck:
    return WantedCheck(
        settings=Settings(project=lambda: Setting("shop", "folder name")),
        image="shop",
        insecure=False,
        stall=1.0,
        installed=no_engines,
    )


def no_engines() -> InstalledEngines:
    raise EngineError("There is no crane.")


def nobody() -> Any:  # noqa: ANN401 - what is passed to `shell_on` alone
    return None


def looked_for(there: str = "", registry: str = "") -> HostChecks:
    return HostChecks(
        names=(),
        there=there,
        endpoint=Endpoint(host=registry) if registry else None,
        repository=Repository(registry, "shop") if registry else None,
        stall=1.0,
        installed=no_engines,
    )


class HereShell:
    """Runs scripts and programs of a host on this machine."""

    host = "build1"

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers]

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        del stdin, timeout
        if self.answers:
            return Finished(0, self.answers.pop(0).encode(), "")
        done = subprocess.run(("sh", "-c", script), capture_output=True, check=False)
        return Finished(done.returncode, done.stdout, done.stderr.decode())


@dataclass
class Place:
    """A host whose files are those of a folder here."""

    shell: HereShell
    home: Path

    @property
    def facts(self) -> SimpleNamespace:
        return SimpleNamespace(home=str(self.home), programs={})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{}/shop.tar", "archive {}/shop.tar"),
        ("{}/shop.tar:shop:v2", "archive {}/shop.tar, shop:v2 in it"),
        ("docker-archive:{}/shop.tar", "archive {}/shop.tar"),
        ("~/layout", "layout {}/layout"),
        ("oci:{}/layout:v2", "layout {}/layout, v2 in it"),
        ("{}/none.tar", "There is no file {}/none.tar on the host."),
    ],
)
def test_a_source_is_found_as_a_push_finds_it(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "shop.tar").touch()
    (tmp_path / "layout").mkdir()
    place: Any = Place(HereShell(), tmp_path)
    found = host_checks._image(SERVERS[0], place, looked_for(there=source.format(tmp_path)))
    assert found.said == said.format(tmp_path)
    assert bool(found.missing) == said.startswith("There is no")
    assert bool(found.found.source and found.found.source.selector) == said.endswith("in it")


@pytest.mark.parametrize(
    ("answer", "reached", "why"),
    [
        ("yes", True, ""),
        ("no curl 6", False, "its name cannot be resolved there"),
        ("no curl 7", False, "no connection can be made from there"),
        ("no curl 28", False, "it does not respond in time there"),
        ("no curl 99", False, "curl ends with status 99"),
        ("no wget 4", False, "no connection can be made from there"),
        ("no bash 124", False, "it does not respond in time there"),
        ("unknown", None, "neither curl, nor wget, nor bash with timeout is there"),
        ("", None, "neither curl, nor wget, nor bash with timeout is there"),
    ],
)
def test_why_a_registry_is_not_reached_is_said(answer: str, reached: object, why: str) -> None:
    shell: Any = HereShell(answer or " ")
    found = host_checks._reached(shell, Endpoint(host="r.example:5000"))
    assert (found.answer, found.why) == (reached, why)
    checked = Checked(server=SERVERS[0], reaches=found.answer, unreached=found.why)
    row = check_text(1, checked).splitlines()[-2]
    assert row.endswith(f": {why}" if why else " reached")
    assert check_document([checked])["hosts"][0]["registryUnreached"] == (why or None)  # type: ignore[index] # JSON


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.3:80", "[::1]:5000"])
def test_a_registry_of_this_machine_is_said_to_be_one(host: str) -> None:
    shell: Any = HereShell()
    found = host_checks._reached(shell, Endpoint(host=host))
    assert (found.answer, found.why) == (False, f"{host} is a loopback address of this machine")


@pytest.mark.parametrize(
    ("told", "began", "ended", "ahead"),
    [
        (1000, 1000.0, 1000.1, 0.0),
        (1000, 1000.9, 1003.2, 0.0),  # it was asked before the second was over
        (1000, 998.9, 1000.0, 0.0),
        (1000, 996.0, 997.5, 2.5),
        (1000, 1003.5, 1009.0, -2.5),
        (1000, 990.0, 2000.0, 0.0),
    ],
)
def test_a_clock_is_ahead_only_where_the_way_there_does_not_explain_it(
    told: int, began: float, ended: float, ahead: float
) -> None:
    assert seconds_ahead(told, began, ended) == ahead


HOST = Facts(
    user="root",
    home="/root",
    system="Linux",
    machine="x86_64",
    libc="2.36",
    clock=0.0,
    folder="/root/dockless.x",
    runs=True,
    free=10,
    programs={"crane": "/usr/bin/crane"},
)


ANY = HostImage()
SEVERAL = HostImage(source=SourceThere(kind="archive", path="/a.tar", selector="@1"))
LARGE = HostImage(
    local=LocalImage(tool="docker", name="shop:1", image_id=Digest.of(b"shop"), size=10)
)


@pytest.mark.parametrize(
    ("programs", "lacks", "reached", "registry", "image", "way", "why"),
    [
        (("crane",), {"crane": ""}, True, "r.example", ANY, "invoke", "it can"),
        (
            ("crane",),
            {"crane": ""},
            False,
            "r.example",
            HostImage(),
            "relay",
            "does not reach r.example",
        ),
        (
            ("crane",),
            {"crane": ""},
            True,
            "localhost:5000",
            HostImage(),
            "relay",
            "loopback address",
        ),
        (
            ("crane",),
            {"crane": ""},
            True,
            "r.example",
            SEVERAL,
            "relay",
            "an image of several",
        ),
        (("skopeo",), {"skopeo": ""}, True, "r.example", ANY, "invoke", "it can"),
        (
            ("skopeo",),
            {"skopeo": "It is old."},
            True,
            "r.example",
            HostImage(),
            "relay",
            "It is old;",
        ),
        ((), {}, True, "r.example", ANY, "relay", "it has neither crane nor skopeo"),
        ((), {}, None, "r.example", ANY, "relay", "There is no crane"),
        (
            ("crane",),
            {"crane": ""},
            True,
            "r.example",
            LARGE,
            "relay",
            "the image needs up to 1 MB",
        ),
    ],
)
def test_the_way_that_a_push_would_choose_is_said(
    *,
    programs: tuple[str, ...],
    lacks: dict[str, str],
    reached: bool | None,
    registry: str,
    image: HostImage,
    way: str,
    why: str,
) -> None:
    facts = replace(HOST, programs={name: f"/usr/bin/{name}" for name in programs})
    found = CheckedHost(facts=facts, lacks=lacks, reached=reached, installed=no_engines)
    chosen = transfer(
        "build1",
        found,
        Endpoint(host=registry),
        Repository(registry, "shop"),
        image,
    )
    assert chosen[0] == way
    assert why in chosen[1]
