import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockless.concurrency import alone
from dockless.errors import (
    DocklessError,
    EngineError,
    HostLostError,
    NetworkError,
    PushError,
    SourceError,
)
from dockless.model.builder import BuildPlan
from dockless.model.host import TransferMethod
from dockless.model.plan import Plan
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.retry import SharedBackoff
from dockless.usecases.hosts.host_push import HostJob, HostPush
from dockless.usecases.hosts.transfer_method import Via
from dockless.usecases.hosts.turns import Turns
from dockless.usecases.push.context import PushRequest
from dockless.usecases.push.delivery import Delivery
from fakes.image import FakeImage
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry

REPOSITORY = Repository.of("registry.example.com", "team/shop")


class BrokenPipe(Exception):  # noqa: N818 - what a library may call it
    """What the connection's library raises."""


@dataclass
class Engine:
    """An engine on the host."""

    host: "Host"
    name: str = "crane"

    def digest(self) -> Digest:
        return self.host.content.root.digest

    def push(self, repository: Repository, digest: Digest) -> frozenset[Digest]:
        assert digest == self.digest()
        self.host.registry.hold(repository, self.host.content)
        return frozenset({self.host.content.blobs[0].digest})


@dataclass
class Host:
    """A host, and the image on it; each method that is in `fails` raises that when used."""

    registry: FakeRegistry
    content: Content
    image_id: Digest | None = None
    build: BuildPlan | None = None
    obstacles: dict[TransferMethod, str] = field(default_factory=dict)
    fails: dict[str, list[BaseException]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    progress: FakeProgress = field(default_factory=FakeProgress)
    name: str = "build1"

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if self.fails.get(name):
            raise self.fails[name].pop()

    def open(self) -> "Host":
        self._step("open")
        return self

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipe:
            raise HostLostError("It broke.", retry_after=0.0) from None

    def drop(self) -> None:
        self._step("drop")

    def leave(self) -> tuple[str, ...] | None:
        self._step("leave")
        return ("/tmp/left",)  # noqa: S108 - a path of a host

    def end(self) -> None:
        self._step("end")

    def obstacle(self, method: TransferMethod) -> str:
        return self.obstacles.get(method, "")

    @contextlib.contextmanager
    def engine(self, method: TransferMethod) -> Iterator[Engine]:
        self._step(method)
        yield Engine(self)

    def relay(self) -> Delivery:
        self._step("relay")
        self.registry.hold(REPOSITORY, self.content)
        plan = Plan(
            repository=REPOSITORY, content=self.content, blobs=(), tags=(), digest_is_new=False
        )
        return Delivery(plan=plan, engine="direct", attempts=1, started=0.0)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(FakeRegistry(), FakeImage(tmp_path).content())


def job(
    host: Host,
    via: Via = "auto",
    *,
    dry_run: bool = False,
    attempts: int = 3,
    until: float | None = None,
    turns: Turns | None = None,
) -> HostJob:
    return HostJob(
        request=PushRequest(repository=REPOSITORY, tags=("v1",), dry_run=dry_run),
        registry=host.registry,
        via=via,
        attempts=attempts,
        until=until,
        shared_backoff=SharedBackoff(),
        turns=turns or Turns(),
    )


def test_the_hosts_own_engine_is_used_if_it_can(host: Host) -> None:
    done = HostPush(job(host), host).deliver()
    assert (done.way, done.digest) == ("invoke", host.content.root.digest)
    assert done.plan is not None
    assert host.steps == ["open", "invoke"]
    assert host.registry.repositories[REPOSITORY].tags == {}


@pytest.mark.parametrize(
    ("obstacles", "method"),
    [
        ({"invoke": "it has none"}, "copy"),
        ({"invoke": "it has none", "copy": "it cannot"}, "relay"),
        ({"invoke": "it has none", "copy": "it cannot", "relay": "skopeo lacks"}, "tunnel"),
    ],
)
def test_what_it_cannot_do_is_said_with_what_it_does(
    host: Host, obstacles: dict[TransferMethod, str], method: str
) -> None:
    host.obstacles = obstacles
    done = HostPush(job(host), host).deliver()
    assert done.way == method
    assert all(why in done.why for why in obstacles.values())


@pytest.mark.parametrize(
    "error", [EngineError("It cannot."), NetworkError("No route.", passing=False)]
)
def test_the_next_method_is_tried_after_a_failure(host: Host, error: DocklessError) -> None:
    host.fails = {"invoke": [error], "copy": [EngineError("Nor this.")]}
    done = HostPush(job(host), host).deliver()
    assert done.way == "relay"
    assert error.what.rstrip(".") in done.why
    assert "Nor this" in done.why


@pytest.mark.parametrize("via", ["invoke", "copy", "tunnel"])
def test_a_method_that_was_asked_for_is_the_only_one(host: Host, via: TransferMethod) -> None:
    host.fails = {via: [EngineError("It cannot.")]}
    with pytest.raises(EngineError, match=r"^It cannot\.$"):
        HostPush(job(host, via), host).deliver()
    assert host.steps == ["open", via]


def test_a_failure_of_the_source_is_no_reason_for_another_method(host: Host) -> None:
    host.fails = {"invoke": [SourceError("It is damaged.")]}
    with pytest.raises(SourceError):
        HostPush(job(host), host).deliver()
    assert host.steps == ["open", "invoke"]


@pytest.mark.parametrize("known", [True, False])
def test_a_dry_run_sends_nothing(host: Host, *, known: bool) -> None:
    host.image_id = host.content.image_id if known else None
    done = HostPush(job(host, dry_run=True), host).deliver()
    assert (done.way, done.digest) == ("invoke", None)
    assert host.steps == ["open"]
    assert done.identity == (host.content.image_id if known else Digest.of(b""))


def test_an_image_that_every_tag_names_is_not_sent(host: Host) -> None:
    host.image_id = host.content.image_id
    host.registry.hold(REPOSITORY, host.content, "v1")
    done = HostPush(job(host), host).deliver()
    assert (done.way, done.plan, done.digest) == ("none", None, host.content.root.digest)
    assert host.steps == ["open"]


@pytest.mark.parametrize("error", [HostLostError("It broke.", retry_after=0.0), BrokenPipe()])
@pytest.mark.parametrize("step", ["open", "invoke"])
def test_a_connection_that_breaks_is_made_again(
    host: Host, step: str, error: BaseException
) -> None:
    host.fails = {step: [error]}
    assert HostPush(job(host), host).deliver().way == "invoke"
    assert host.steps.count("open") == 2
    assert host.steps.count("drop") == isinstance(error, HostLostError)


def test_a_connection_that_stays_broken_is_an_error(host: Host) -> None:
    host.fails = {"open": [HostLostError("It broke.")]}
    with pytest.raises(HostLostError):
        HostPush(job(host, attempts=1), host).deliver()
    assert host.steps == ["open", "drop"]


def test_its_time_ends_it(host: Host) -> None:
    host.fails = {"open": [HostLostError("It broke.")] * 99}
    push = HostPush(job(host, until=time.monotonic(), attempts=99), host)
    with pytest.raises(NetworkError, match="within --timeout"):
        push.deliver()
    assert "end" in host.steps
    assert push.leave() == ("/tmp/left",)  # noqa: S108 - a path of a host


def test_an_abort_ends_the_connection_and_every_pause(host: Host) -> None:
    host.fails = {"open": [HostLostError("It broke.")] * 99}
    push = HostPush(job(host, attempts=99), host)
    push.abort()
    with pytest.raises(PushError, match="interrupted"):
        push.deliver()
    assert host.steps[0] == "end"
    assert host.progress.notes == [], "nothing is said to be tried again"


@pytest.mark.parametrize("step", ["open", "invoke"])
@pytest.mark.parametrize("broken", [HostLostError("It was lost."), BrokenPipe()])
def test_what_an_abort_breaks_is_not_said_to_be_tried_again(
    host: Host, step: str, broken: BaseException
) -> None:
    push = HostPush(job(host, attempts=5), host)
    went_on = host._step

    def aborted(name: str) -> None:
        went_on(name)
        if name == step:
            push.abort()
            raise broken

    host._step = aborted  # type: ignore[method-assign] # as of another thread
    with pytest.raises(PushError, match="interrupted"):
        push.deliver()
    assert not [note for note in host.progress.notes if "Retrying" in note]
    assert host.steps.count(step) == 1


@pytest.mark.parametrize("known", [True, False])
def test_an_image_that_another_host_relays_is_waited_for(host: Host, *, known: bool) -> None:
    host.image_id = host.content.image_id if known else None
    turns = Turns()
    push = HostPush(job(host, "relay", turns=turns), host)
    with turns.of(host.image_id or host.name, threading.Event()):
        waiting = alone(push.deliver)
        push.abort()
        with pytest.raises(PushError, match="interrupted"):
            waiting.result(120)
    assert "relay" not in host.steps
    assert HostPush(job(host, "relay", turns=turns), host).deliver().way == "relay"


def test_another_method_is_not_tried_after_relay(host: Host) -> None:
    host.obstacles = {"invoke": "it has none", "copy": "it cannot"}
    host.fails = {"relay": [NetworkError("No route.", passing=False)]}
    with pytest.raises(NetworkError, match=r"^No route\.$"):
        HostPush(job(host), host).deliver()
    assert host.steps == ["open", "relay"]
