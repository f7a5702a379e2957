"""One push: plan, send by digest, read back, and only then move the tags."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import ConflictError, DocklessError, PushError
from dockless.model.packing import GZIP, Packing
from dockless.model.plan import BlobPlan, Plan, PushResult, TagPlan
from dockless.model.reference import Reference, Repository
from dockless.model.timings import Timings
from dockless.ports import EarlyUploads, Engine, Image, Progress, Registry
from dockless.retries import Patience


@dataclass(frozen=True, slots=True)
class Order:
    """What one push is asked to do.

    Attributes:
        repository: Where to.
        tags: Every tag that is to name the image; none for one that only its digest names.
        immutable: Whether a tag that exists with another digest is an error.
        verify: Whether the registry's copy is read back and compared.
        dry_run: Whether the registry is only read.
    """

    repository: Repository
    tags: tuple[str, ...]
    immutable: bool = False
    verify: bool = True
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What one push works with.

    Attributes:
        registry: Reads the registry.
        early: What goes ahead of the engine.
        engine: Returns the engine; called only when there is something to write.
        lay_out: Writes an OCI layout of a content and the files of its blobs, and returns it.
        progress: Where the work is shown.
        patience: How often and how long each step is tried.
        clock: Seconds that only ever grow.
        timings: Told how long each step took.
        packing: Says how layers that were not compressed are.
    """

    registry: Registry
    early: EarlyUploads
    engine: Callable[[], Engine]
    lay_out: Callable[[Content, Mapping[Digest, Path]], Path]
    progress: Progress
    patience: Patience
    clock: Callable[[], float]
    timings: Timings = field(default_factory=Timings)
    packing: Callable[[], Packing] = lambda: GZIP


@dataclass(frozen=True, slots=True)
class Delivery:
    """An image that the repository has by its digest, and no tag names yet.

    Attributes:
        plan: What was planned; what was missing is there now.
        engine: The name of the engine that sent it; empty when there was nothing to send.
        attempts: How often the engine was started to send it.
        started: When it began, on the clock of the means.
        moving: Whether any tag is to be made or moved, or the image, if it gets none, was missing.
    """

    plan: Plan
    engine: str
    attempts: int
    started: float
    moving: bool = True


def push(order: Order, image: Image, means: Means) -> PushResult:
    """Push one image.

    Nothing is exported, compressed or sent when every tag already names what would be pushed.
    The tags move last, one by one, so none ever names an incomplete image.

    Raises:
        DocklessError: With the exit code of what went wrong; no tag was moved, unless the error
            says so.
    """
    return publish(order, deliver(order, image, means), means)


def deliver(order: Order, image: Image, means: Means) -> Delivery:
    """Bring an image to its repository by digest, and read it back; move no tag.

    Raises:
        DocklessError: With the exit code of what went wrong.
    """
    started = means.clock()
    # asked first: a refused credential should not cost a long compression
    with means.timings.of("questions"):
        before = tags_before(order, means.registry, means.patience)
    with means.timings.of("source"):
        content = image.content()
    wanted = content.root.digest
    tags = tuple(TagPlan(tag, digest, wanted) for tag, digest in before.items())
    with means.timings.of("questions"):
        moving = _moving(order, tags, wanted, means)
    if order.immutable:
        refuse_moves(order, tags)
    with means.timings.of("questions"):
        blobs = _blobs(order, content, means) if moving else _all_present(content)
    new = image.digest_is_new
    plan = Plan(order.repository, content, blobs, tags, new, means.packing())
    if not moving or order.dry_run:
        return Delivery(plan, "", 0, started, moving)
    engine, attempts = _send(plan, image, means)
    if order.verify:
        with means.timings.of("verify"):
            _verify(order, plan, means)
    return Delivery(plan, engine, attempts, started)


def publish(order: Order, delivery: Delivery, means: Means) -> PushResult:
    """Make every tag name what was delivered.

    Raises:
        DocklessError: With the exit code of what went wrong; it says which tags moved.
    """
    plan, moving = delivery.plan, delivery.moving
    if moving and not order.dry_run:
        with means.timings.of("tags"):
            move_tags(order, plan, means)
    return PushResult(
        plan,
        unchanged=not moving,
        dry_run=order.dry_run,
        verified=moving and order.verify and not order.dry_run,
        engine=delivery.engine,
        sent=sum(blob.size for blob in plan.missing) if delivery.attempts else 0,
        attempts=delivery.attempts,
        seconds=means.clock() - delivery.started,
    )


def _moving(order: Order, tags: tuple[TagPlan, ...], root: Digest, means: Means) -> bool:
    if tags:
        return any(tag.action != "keep" for tag in tags)
    return _manifest(order.repository, root, means) is None


def tags_before(order: Order, registry: Registry, patience: Patience) -> dict[str, Digest | None]:
    """Return what every tag names now."""
    return {tag: _tag(order, registry, patience, tag) for tag in order.tags}


def _tag(order: Order, registry: Registry, patience: Patience, tag: str) -> Digest | None:
    return patience.call(lambda: registry.tag(order.repository, tag))


def _blobs(order: Order, content: Content, means: Means) -> tuple[BlobPlan, ...]:
    digests = tuple(blob.digest for blob in content.blobs)
    # what another repository lends, and what was asked before, need not be asked for
    known = {} if order.dry_run else dict(means.early.borrow(digests))
    there = _present(order, [each for each in digests if each not in known], means)
    return tuple(
        BlobPlan(blob, known.get(blob.digest, blob.digest in there)) for blob in content.blobs
    )


def _present(order: Order, digests: Sequence[Digest], means: Means) -> frozenset[Digest]:
    return means.patience.call(lambda: means.registry.present(order.repository, digests))


def _all_present(content: Content) -> tuple[BlobPlan, ...]:
    return tuple(BlobPlan(blob, present=True) for blob in content.blobs)


def refuse_moves(order: Order, tags: tuple[TagPlan, ...]) -> None:
    """Raise ConflictError when a tag would move to another digest."""
    for tag in tags:
        if tag.action == "move":
            raise ConflictError(
                f"{Reference(order.repository, tag.tag)} exists and is {tag.before}, "
                f"not {tag.after}.",
                "Choose another tag, or push without --immutable.",
            )


def _send(plan: Plan, image: Image, means: Means) -> tuple[str, int]:
    """Push the content by digest, unless it is there; return the engine and how often it ran."""
    root = plan.content.root.digest
    if not plan.missing and _manifest(plan.repository, root, means) is not None:
        return "", 0
    engine = means.engine()
    # an engine reads the config even where the registry has it
    needed = plan.content.configs() | {blob.digest for blob in plan.missing}
    with means.timings.of("source"):
        blobs = image.paths(needed)
    layout = functools.cache(lambda: means.lay_out(plan.content, blobs))
    missing = {blob.digest: blobs[blob.digest] for blob in plan.missing}
    size = sum(blob.size for blob in plan.missing)
    what = "uploading" if size else "sending the manifest"
    attempts = 0

    def attempt() -> None:
        nonlocal attempts
        if attempts:  # a registry that asks for patience says for how long only to us
            means.registry.manifest(plan.repository, root)
        attempts += 1
        sending = means.progress.start(what, size or None)
        try:
            if not means.early.bring(plan.content, missing, sending):
                engine.push(layout(), plan.content, plan.repository, sending)
            sending.complete()
        finally:
            sending.finish()

    with means.timings.of("upload"):
        means.patience.call(attempt)
    return engine.name, attempts


def _verify(order: Order, plan: Plan, means: Means) -> None:
    for digest, data in plan.content.documents.items():
        if _manifest(plan.repository, digest, means) != data:
            raise _lost(plan.repository, str(digest))
    sent = [blob.digest for blob in plan.missing]
    there = _present(order, sent, means)
    for blob in sent:
        if blob not in there:
            raise _lost(plan.repository, f"the blob {blob}")


def _lost(repository: Repository, what: str) -> PushError:
    return PushError(
        f"{repository.host} does not have {what} of {repository} after the push.",
        "No tag was moved. Push again; if it stays so, the registry loses data.",
    )


def _manifest(repository: Repository, digest: Digest, means: Means) -> bytes | None:
    return means.patience.call(lambda: means.registry.manifest(repository, digest))


def move_tags(order: Order, plan: Plan, means: Means) -> None:
    """Make every tag of the plan name what the repository has by digest.

    Raises:
        DocklessError: With the exit code of what went wrong; it says which tags moved.
    """
    done: list[str] = []
    for tag in plan.tags:
        if tag.action == "keep":
            continue
        try:
            _move(order, plan, means, tag.tag)
        except DocklessError as error:
            if done:
                error.what += f" Moved before: {', '.join(done)}."
            raise
        done.append(tag.tag)


def _move(order: Order, plan: Plan, means: Means, tag: str) -> None:
    root = plan.content.root

    def attempt() -> None:
        if not means.early.move(plan.content, tag):
            means.engine().move(root, plan.repository, tag)

    if order.immutable:
        now = _tag(order, means.registry, means.patience, tag)
        refuse_moves(order, (TagPlan(tag, now, root.digest),))
    means.patience.call(attempt)
    now = _tag(order, means.registry, means.patience, tag) if order.verify else root.digest
    if now != root.digest:
        raise PushError(
            f"{Reference(plan.repository, tag)} names {now or 'nothing'} after it was moved to "
            f"{root.digest}.",
            "Somebody else may push to it at the same time, or the registry lies.",
        )
