"""Many hosts that push one target: each delivers by digest, then the tags are updated once.

Every host has a result. A failure of one host does not affect others: only `Rules` decide when to
stop.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from dockless.concurrency import map_concurrently
from dockless.errors import ConflictError, DocklessError, PartialError, PushError
from dockless.model.builder import BuildPlan
from dockless.model.counts import counted, share
from dockless.model.host import HostResult
from dockless.model.plan import Plan
from dockless.model.server import Server
from dockless.oci.digest import Digest

_LEAVE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


class Delivered(Struct, frozen=True, kw_only=True):
    """What a host pushed to the repository.

    Attributes:
        way: How: `invoke`, `copy`, `relay` or `tunnel`.
        why: The reason for it, as text.
        digest: The digest of the manifest or index; None when it was a dry run.
        identity: What tells one image from another, however its layers are packed: the digest of
            its config, or of its index.
        sent: Bytes that went to the registry.
        plan: What is there now, and the tags that are to name it; None when there is nothing
            to move.
        image_id: What a container tool there knows the image by; None where that is not known.
        build: How the image would be built, in a dry run; None for one that is there.
    """

    way: str
    why: str
    digest: Digest | None
    identity: Digest
    sent: int = 0
    plan: Plan | None = None
    image_id: Digest | None = None
    build: BuildPlan | None = None


class Visit(Protocol):
    """A host while it is worked on."""

    def deliver(self) -> Delivered:
        """Push its image to the repository by digest, and verify it."""

    def leave(self) -> tuple[str, ...] | None:
        """Remove what dockless made there; return what could not be removed, None if unknown."""

    def abort(self) -> None:
        """Abort, from another thread."""


class Tell(Protocol):
    """Called with every host that is done."""

    def __call__(self, result: HostResult, *, last: bool = False) -> None:
        """Take a host's result; it is the last one where it replaces another."""


class Rules(Struct, frozen=True):
    """The number of hosts at once, and what stops the others.

    Attributes:
        parallel: Hosts at once.
        most_failures: With more failed hosts than this, no other is started and no tag is changed.
        allow_different: Whether hosts may push different images; the last one gets the tags.
    """

    parallel: int
    most_failures: int | None = None
    allow_different: bool = False


class RemotePushResult(Struct, frozen=True):
    """The outcome of a push from several hosts.

    Attributes:
        results: A result for each host, in their order.
        digest: What the tags refer to in the end; None when they were not updated or confirmed.
    """

    results: tuple[HostResult, ...]
    digest: Digest | None


class _HostsRun(Struct, kw_only=True):
    """What the threads share."""

    rules: Rules
    clock: Callable[[], float]
    tell: Tell
    results: dict[int, HostResult] = field(default_factory=dict)
    delivered: dict[int, Delivered] = field(default_factory=dict)
    visits: dict[int, Visit] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def failures(self) -> int:
        return sum(result.error is not None for result in list(self.results.values()))

    def end(self, number: int, result: HostResult) -> None:
        self.results[number] = result
        if not self.stopped.is_set():  # else it was broken off, and did not fail
            self.tell(result)

    def too_many(self) -> bool:
        most = self.rules.most_failures
        return most is not None and self.failures() > most


def _untold(result: HostResult, *, last: bool = False) -> None:
    del result, last


def push_from(  # noqa: PLR0913 - each is documented, and the last goes by keyword
    servers: Sequence[Server],
    enter: Callable[[Server], Visit],
    publish: Callable[[Plan, str], None],
    rules: Rules,
    clock: Callable[[], float],
    *,
    tell: Tell = _untold,
) -> RemotePushResult:
    """Have every server push its image, and update the tags when all have delivered.

    Args:
        servers: The hosts.
        enter: Begins the work on one.
        publish: Makes the tags name what was delivered, in this way; raises DocklessError.
        rules: When to stop.
        clock: Seconds that only ever grow.
        tell: Called with every host that is done, from its own thread.
    """
    run = _HostsRun(rules=rules, clock=clock, tell=tell)
    try:
        map_concurrently(
            lambda each: _work(run, each[0], each[1], enter),
            enumerate(servers),
            max(1, rules.parallel),
        )
    except BaseException:
        run.stopped.set()
        for visit in list(run.visits.values()):
            visit.abort()
        _wait_for_leaves(run)
        raise
    digest: Digest | None = None
    try:
        digest = _publish(run, publish)
    except DocklessError as error:
        for number in run.delivered:
            run.results[number] = replace(run.results[number], error=error)
            tell(run.results[number], last=True)
    return RemotePushResult(tuple(run.results[number] for number in range(len(servers))), digest)


def common_error(errors: Sequence[DocklessError | None], what: str) -> DocklessError | None:
    """Return one error for those of all hosts; None when all succeeded.

    Args:
        errors: For each host, its error, which has been printed; None for none.
        what: A participle such as `pushed`, for the message.
    """
    failed = [error for error in errors if error]
    if not failed:
        return None
    if len(failed) < len(errors):
        its = "its error" if len(failed) == 1 else "their errors"
        return PartialError(
            f"{share(len(failed), len(errors), 'host')} failed.", f"See {its} above."
        )
    if len(errors) == 1:
        return failed[0]
    none = f"None of the {len(errors)} hosts {what}."
    same = len({error.exit_code for error in failed}) == 1
    return failed[0].with_context(none, "") if same else PushError(none)


def _wait_for_leaves(run: _HostsRun) -> None:
    """Have the started hosts remove what dockless made there, within a time limit.

    A signal ends that. The threads are daemons, so a host that hangs keeps nothing from ending.
    """
    end = time.monotonic() + _LEAVE_SECONDS
    while run.visits and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def _work(run: _HostsRun, number: int, server: Server, enter: Callable[[Server], Visit]) -> None:
    began = run.clock()
    if run.stopped.is_set() or run.too_many():
        error = PushError("It was not started, since too many other hosts had failed.")
        run.end(number, HostResult(server=server, error=error, was_started=False))
        return
    visit = run.visits[number] = enter(server)
    if run.stopped.is_set():  # at this moment
        visit.abort()
    failed: DocklessError | None = None
    brought: Delivered | None = None
    residue: tuple[str, ...] | None = None
    try:
        brought = visit.deliver()
    except DocklessError as error:
        failed = error
    finally:
        with contextlib.suppress(DocklessError):
            residue = visit.leave()
        run.visits.pop(number)
    result = HostResult(server=server, seconds=run.clock() - began, error=failed, residue=residue)
    if brought:
        run.delivered[number] = brought
        result = replace(
            result,
            way=brought.way,
            why=brought.why,
            digest=brought.digest,
            sent=brought.sent,
            image_id=brought.image_id,
            build=brought.build,
            unchanged=brought.plan is None and brought.digest is not None,
        )
    run.end(number, result)


def _publish(run: _HostsRun, publish: Callable[[Plan, str], None]) -> Digest | None:
    """Update the tags, unless the hosts disagree or too many failed; return their digest."""
    brought = [run.delivered[number] for number in sorted(run.delivered)]
    if not brought:
        return None
    if error := _objection(run, brought):
        raise error
    winner = brought[-1] if run.rules.allow_different else min(brought, key=_is_to_move)
    if winner.plan is not None:
        publish(winner.plan, winner.way)
    return winner.digest


def _is_to_move(brought: Delivered) -> bool:
    """Put what the tags name already before the same image in other packing."""
    return brought.plan is not None


def _objection(run: _HostsRun, brought: Sequence[Delivered]) -> DocklessError | None:
    if run.too_many():
        return PushError(
            f"{counted(run.failures(), 'host')} failed, so no tag was changed.",
            "Push again; what has been uploaded is kept.",
        )
    images = dict.fromkeys(each.identity for each in brought)
    if len(images) > 1 and not run.rules.allow_different:
        listed = ", ".join(map(str, images))
        return ConflictError(
            f"The hosts have {len(images)} different images for the same tag: {listed}. "
            "No tag was changed.",
            "Build them from the same state, choose with --servers, or push with "
            "--allow-different, which uses the last host's image.",
        )
    return None
