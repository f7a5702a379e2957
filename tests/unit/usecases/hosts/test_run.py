import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from dockless.concurrency import alone
from dockless.errors import AuthError, ConflictError, DocklessError, PushError
from dockless.model.plan import BlobPlan, Plan, TagPlan
from dockless.model.server import Server
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.usecases.hosts.host_rows import HostRows
from dockless.usecases.hosts.run import Delivered, RemotePushResult, Rules, Visit, push_from
from fakes.image import FakeImage
from fakes.overview import FakeOverview

REPOSITORY = Repository.of("registry.example.com", "team/shop")
SERVERS = tuple(Server(address=f"host{number}", user="me") for number in range(4))
ONE, TWO = Digest.of(b"one"), Digest.of(b"two")


@dataclass
class Host:
    """A host that brings this, or fails."""

    brings: Delivered | DocklessError | BaseException
    residue: tuple[str, ...] = ()
    begun: int = 0
    left: int = 0
    aborted: int = 0
    wait: Callable[[], object] = lambda: None

    def deliver(self) -> Delivered:
        self.begun += 1
        self.wait()
        if isinstance(self.brings, BaseException):
            raise self.brings
        return self.brings

    def leave(self) -> tuple[str, ...]:
        self.left += 1
        return self.residue

    def abort(self) -> None:
        self.aborted += 1


@dataclass
class Fleet:
    """Hosts, and what was published of what they brought."""

    hosts: list[Host]
    published: list[Plan] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    refuses: DocklessError | None = None
    overview: FakeOverview = field(default_factory=FakeOverview)

    def push(self, **rules: int) -> RemotePushResult:
        numbers = {server: number for number, server in enumerate(SERVERS)}

        def enter(server: Server) -> Visit:
            return self.hosts[numbers[server]]

        def publish(plan: Plan, way: str) -> None:
            if self.refuses:
                raise self.refuses
            self.published.append(plan)
            self.ways.append(way)

        servers = SERVERS[: len(self.hosts)]
        parallel = rules.pop("parallel", 1)
        made = Rules(parallel, **rules)  # type: ignore[arg-type] # by these names
        rows = HostRows(servers, self.overview)

        def begin(server: Server) -> Visit:
            rows.begin(server)
            return enter(server)

        return push_from(servers, begin, publish, made, lambda: float(next(_CLOCK)), tell=rows.end)


_CLOCK = count()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    content = FakeImage(tmp_path).content()
    blobs = tuple(BlobPlan(blob, present=True) for blob in content.blobs)
    return Plan(
        repository=REPOSITORY,
        content=content,
        blobs=blobs,
        tags=(TagPlan("1", None, ONE),),
        digest_is_new=True,
    )


def brings(plan: Plan | None, digest: Digest = ONE, identity: Digest = ONE) -> Host:
    return Host(
        Delivered(way="relay", why="it can", digest=digest, identity=identity, sent=5, plan=plan)
    )


@pytest.mark.parametrize("stuck", [1, 2, 3])
def test_a_host_that_hangs_keeps_no_interrupt_from_ending(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, stuck: int
) -> None:
    monkeypatch.setattr("dockless.usecases.hosts.run._LEAVE_SECONDS", 0.1)
    done, begun = threading.Event(), threading.Semaphore(0)
    hosts = [brings(plan) for _ in range(stuck + 1)]

    def hang() -> None:
        begun.release()
        done.wait(60)

    for host in hosts[1:]:
        host.wait = hang
    hosts[0].wait = lambda: [begun.acquire(timeout=60) for _ in range(stuck)]
    hosts[0].brings = KeyboardInterrupt()
    try:
        pushing = alone(lambda: Fleet(hosts).push(parallel=stuck + 1))
        with pytest.raises(KeyboardInterrupt):
            pushing.result(30)
        assert [host.aborted for host in hosts[1:]] == [1] * stuck
    finally:
        done.set()


def test_hosts_that_were_begun_may_tidy_up_after_an_interrupt(plan: Plan) -> None:
    hosts = [brings(plan), brings(plan)]
    begun, aborted = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        aborted.wait(30)

    hosts[1].wait = work
    hosts[1].abort = aborted.set  # type: ignore[method-assign] # what it does there
    hosts[0].wait = lambda: begun.wait(30)
    hosts[0].brings = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Fleet(hosts).push(parallel=2)
    assert [host.left for host in hosts] == [1, 1]


@pytest.mark.parametrize("others", [1, 2, 3])
def test_hosts_that_an_interrupt_breaks_off_have_not_failed(plan: Plan, others: int) -> None:
    hosts = [brings(plan) for _ in range(others + 1)]
    begun, aborted = threading.Barrier(others + 1), threading.Event()
    for host in hosts[1:]:
        host.wait = lambda: (begun.wait(60), aborted.wait(60))
        host.brings = PushError("The connection broke.")
        host.abort = aborted.set  # type: ignore[method-assign] # it breaks the connections
    hosts[0].wait = lambda: begun.wait(60)
    hosts[0].brings = KeyboardInterrupt()
    fleet = Fleet(hosts)
    with pytest.raises(KeyboardInterrupt):
        fleet.push(parallel=others + 1)
    assert fleet.overview.shown == []


def test_the_tags_move_once_when_all_have_delivered(plan: Plan) -> None:
    fleet = Fleet([brings(plan), brings(plan), brings(plan)])
    outcome = fleet.push(parallel=3)
    assert outcome.digest == ONE
    assert fleet.published == [plan]
    assert [(each.way, each.digest, each.sent, each.error) for each in outcome.results] == [
        ("relay", ONE, 5, None)
    ] * 3
    assert [(host.begun, host.left) for host in fleet.hosts] == [(1, 1)] * 3


def test_one_that_fails_does_not_keep_the_others(plan: Plan) -> None:
    failed = AuthError("It lets nobody in.")
    fleet = Fleet([Host(failed), brings(plan)])
    outcome = fleet.push()
    assert [each.error for each in outcome.results] == [failed, None]
    assert fleet.published == [plan]
    assert fleet.hosts[0].left == 1, "a host is left clean whatever came of it"


def test_different_images_move_no_tag(plan: Plan) -> None:
    fleet = Fleet([brings(plan), brings(plan, TWO, TWO), Host(AuthError("No."))])
    outcome = fleet.push()
    assert (outcome.digest, fleet.published) == (None, [])
    errors = [each.error for each in outcome.results]
    assert [type(error) for error in errors] == [ConflictError, ConflictError, AuthError]
    assert str(ONE) in str(errors[0])


def test_if_they_may_differ_the_last_one_wins(plan: Plan, tmp_path: Path) -> None:
    content = FakeImage(tmp_path / "other").content()
    other = Plan(repository=REPOSITORY, content=content, blobs=(), tags=(), digest_is_new=True)
    fleet = Fleet([brings(plan), brings(other, TWO, TWO)])
    outcome = fleet.push(allow_different=True)
    assert (outcome.digest, fleet.published) == (TWO, [other])


def test_one_image_packed_in_two_ways_is_one_image(plan: Plan) -> None:
    fleet = Fleet([brings(plan, ONE, ONE), brings(plan, TWO, ONE)])
    outcome = fleet.push()
    assert (outcome.digest, fleet.published) == (ONE, [plan])


def test_what_the_tags_name_already_stays(plan: Plan) -> None:
    fleet = Fleet([brings(plan, TWO, ONE), brings(None, ONE, ONE)])
    outcome = fleet.push()
    assert (outcome.digest, fleet.published) == (ONE, [])
    assert [each.unchanged for each in outcome.results] == [False, True]


def test_after_too_many_failures_no_host_is_begun_and_no_tag_moves(plan: Plan) -> None:
    fleet = Fleet([brings(plan), Host(AuthError("No.")), Host(AuthError("No.")), brings(plan)])
    outcome = fleet.push(most_failures=1)
    assert (outcome.digest, fleet.published) == (None, [])
    first, *_, last = outcome.results
    assert first.error is not None
    assert "so no tag was changed" in first.error.what
    assert last.error is not None
    assert "was not started" in last.error.what
    assert fleet.hosts[3].begun == 0


def test_some_failures_may_be_borne(plan: Plan) -> None:
    fleet = Fleet([Host(AuthError("No.")), brings(plan)])
    assert fleet.push(most_failures=1).digest == ONE


def test_tags_that_cannot_move_are_an_error_of_every_host_that_delivered(plan: Plan) -> None:
    fleet = Fleet([brings(plan), Host(AuthError("No."))], refuses=PushError("Too late."))
    outcome = fleet.push()
    assert outcome.digest is None
    assert [str(each.error) for each in outcome.results] == ["Too late.", "No."]
    assert outcome.results[0].digest == ONE, "it is there all the same"


def test_a_dry_run_moves_nothing() -> None:
    fleet = Fleet([Host(Delivered(way="relay", why="it can", digest=None, identity=ONE))])
    outcome = fleet.push()
    assert (outcome.digest, fleet.published) == (None, [])
    assert not outcome.results[0].unchanged


def test_what_is_left_behind_is_told(plan: Plan) -> None:
    host = brings(plan)
    host.residue = ("/tmp/x",)  # noqa: S108 - a path of a host
    assert Fleet([host]).push().results[0].residue == ("/tmp/x",)  # noqa: S108 - the same


def test_hosts_are_worked_on_side_by_side(plan: Plan) -> None:
    together = threading.Barrier(3, timeout=10)
    hosts = [brings(plan) for _ in range(3)]
    for host in hosts:
        host.wait = together.wait
    assert Fleet(hosts).push(parallel=3).digest == ONE


def test_a_bug_breaks_everything_off_and_leaves_every_host(plan: Plan) -> None:
    started, broken = threading.Event(), threading.Event()
    slow, bad = brings(plan), Host(ZeroDivisionError())

    def wait() -> None:
        started.set()
        broken.wait(10)

    slow.wait = wait
    bad.wait = lambda: started.wait(10)

    def abort() -> None:
        slow.aborted += 1
        broken.set()

    slow.abort = abort  # type: ignore[method-assign] # it lets `deliver` go on
    with pytest.raises(ZeroDivisionError):
        Fleet([bad, slow]).push(parallel=2)
    assert (slow.aborted, slow.left, bad.left) == (1, 1, 1)


def test_every_host_is_shown_once_with_what_became_of_it(plan: Plan) -> None:
    there = Host(
        Delivered(way="none", why="already there", digest=ONE, identity=ONE, sent=0, plan=None)
    )
    fleet = Fleet([brings(plan), there, Host(PushError("It fails."))])
    fleet.push(parallel=1)
    assert fleet.overview.expected == (3, 0)
    assert [name for name, _ in fleet.overview.begun] == [each.short_name for each in SERVERS[:3]]
    told = [(each.fate, each.sent, each.how) for each in fleet.overview.shown]
    assert told == [("arrived", 5, "by relay"), ("there", 0, ""), ("failed", 0, "")]


@pytest.mark.parametrize("hosts", [2, 3])
def test_hosts_that_are_not_started_are_skipped(plan: Plan, hosts: int) -> None:
    fleet = Fleet([Host(PushError("It fails.")), *(brings(plan) for _ in range(hosts - 1))])
    fleet.push(parallel=1, most_failures=0)
    told = [each.fate for each in fleet.overview.items.values()]
    assert told == ["failed", *["skipped"] * (hosts - 1)]


def test_hosts_whose_tags_are_refused_have_failed_without_another_line(plan: Plan) -> None:
    fleet = Fleet([brings(plan), brings(plan)], refuses=PushError("No tags."))
    fleet.push(parallel=1)
    assert {each.fate for each in fleet.overview.items.values()} == {"failed"}
    assert [each.has_line for each in fleet.overview.shown] == [True, True, False, False]
