"""Many hosts that push one target: each delivers by digest, then the tags move once.

Every host has a result. A host's failure is no other host's: only `Rules` say when to stop.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from dockless.model.digest import Digest
from dockless.model.errors import ConflictError, DocklessError, PushError
from dockless.model.host import HostResult
from dockless.model.plan import PushResult
from dockless.model.server import Server


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a host brought to the repository.

    Attributes:
        way: How: `invoke`, `copy`, `relay` or `tunnel`.
        why: Why this way, in words.
        digest: The digest of the manifest or index; None when it was a dry run.
        identity: What tells one image from another, however its layers are packed: the digest of
            its config, or of its index.
        sent: Bytes that went to the registry.
        unchanged: Whether every tag named it already.
    """

    way: str
    why: str
    digest: Digest | None
    identity: Digest
    sent: int = 0
    unchanged: bool = False


class Visit(Protocol):
    """A host while it is worked on."""

    def deliver(self) -> Delivered:
        """Bring its image to the repository by digest, and prove that it is there."""

    def publish(self) -> PushResult | None:
        """Make the tags name what was delivered."""

    def leave(self) -> tuple[str, ...] | None:
        """Take everything of ours away; return what is left all the same, None if unknown."""

    def abort(self) -> None:
        """Break off, from another thread."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How many hosts are worked on at once, and what stops the others.

    Attributes:
        parallel: Hosts at once.
        most_failures: With more failed hosts than this, no other is begun and no tag moves.
        allow_different: Whether hosts may bring different images; the last one gets the tags.
    """

    parallel: int
    most_failures: int | None = None
    allow_different: bool = False


@dataclass
class _Run:
    """What the threads share."""

    rules: Rules
    clock: Callable[[], float]
    results: dict[int, HostResult] = field(default_factory=dict)
    visits: dict[int, Visit] = field(default_factory=dict)
    publisher: int | None = None
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failures(self) -> int:
        return sum(result.error is not None for result in self.results.values())

    def too_many(self) -> bool:
        most = self.rules.most_failures
        return most is not None and self.failures() > most

    def keep(self, number: int) -> int | None:
        """Take a host as the one that moves the tags, if it is better; return who need not stay."""
        with self.lock:
            held = self.publisher
            better = held is None or (number > held) == self.rules.allow_different
            if not better:
                return number
            self.publisher = number
            return held


def push_from(
    servers: Sequence[Server],
    enter: Callable[[Server], Visit],
    rules: Rules,
    clock: Callable[[], float],
) -> tuple[HostResult, ...]:
    """Let every server push its image, and move the tags when all have delivered.

    Args:
        servers: The hosts.
        enter: Begins the work on one; raises DocklessError.
        rules: When to stop.
        clock: Seconds that only ever grow.

    Returns:
        A result for each server, in their order.
    """
    run = _Run(rules, clock)
    pool = ThreadPoolExecutor(max(1, rules.parallel), "host")
    try:
        list(pool.map(lambda each: _work(run, each[0], each[1], enter), enumerate(servers)))
        _publish(run)
    except BaseException:
        run.stopped = True
        for visit in list(run.visits.values()):
            visit.abort()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for number in list(run.visits):
            _leave(run, number)
    return tuple(run.results[number] for number in range(len(servers)))


def _work(run: _Run, number: int, server: Server, enter: Callable[[Server], Visit]) -> None:
    began = run.clock()
    result = HostResult(server)
    with run.lock:
        skipped = run.stopped or run.too_many()
    if skipped:
        error = PushError("It was not begun, since too many others had failed.")
        run.results[number] = replace(result, error=error)
        return
    leaving: int | None = number
    try:
        visit = run.visits[number] = enter(server)
        brought = visit.deliver()
        result = HostResult(
            server,
            brought.way,
            brought.why,
            brought.digest,
            brought.identity,
            brought.sent,
            brought.unchanged,
        )
        leaving = run.keep(number)
    except DocklessError as error:
        result = replace(result, error=error)
    finally:
        run.results[number] = replace(result, seconds=run.clock() - began)
        if leaving is not None:
            _leave(run, leaving)


def _leave(run: _Run, number: int) -> None:
    with run.lock:
        visit = run.visits.pop(number, None)
    if visit is None:
        return
    residue: tuple[str, ...] | None = None
    with contextlib.suppress(DocklessError):
        residue = visit.leave()
    run.results[number] = replace(run.results[number], residue=residue)


def _publish(run: _Run) -> None:
    """Move the tags, unless the hosts disagree or too many failed."""
    brought = {
        number: result.identity
        for number, result in sorted(run.results.items())
        if result.identity is not None
    }
    if run.publisher is None:
        return
    error = _objection(run, tuple(brought.values()))
    if error is None:
        try:
            run.visits[run.publisher].publish()
        except DocklessError as failed:
            error = failed
    if error:
        for number in brought:
            run.results[number] = replace(run.results[number], error=error)


def _objection(run: _Run, brought: Sequence[Digest]) -> DocklessError | None:
    if run.too_many():
        return PushError(
            f"{run.failures()} hosts failed, so no tag was moved.",
            "Push again; what has arrived stays there.",
        )
    images = dict.fromkeys(brought)
    if len(images) > 1 and not run.rules.allow_different:
        listed = ", ".join(map(str, images))
        return ConflictError(
            f"The hosts have {len(images)} different images for the same tag: {listed}. "
            "No tag was moved.",
            "Build them from the same state, choose with --servers, or push with "
            "--allow-different, which lets the last host's win.",
        )
    return None
