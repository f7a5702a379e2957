"""An image brought to its repository by digest: planned, sent and read back; no tag moves."""

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockless.inventory import Inventory
from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import ConflictError, PushError, ServerError
from dockless.model.packing import GZIP, Packing
from dockless.model.plan import BlobPlan, Plan, TagPlan
from dockless.model.reference import Reference, Repository
from dockless.model.timings import Timings
from dockless.ports import EarlyUploads, Engine, Image, Progress, Registry, Task
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
        resend: Sends blobs, and the manifests by digest, with nothing asked first; returns whether
            all of the image is there then.
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
    resend: Callable[[Content, Mapping[Digest, Path], Task], bool]
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


class _LostError(PushError):
    """What was sent is not there."""


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
            try:
                _verify(plan, means)
            except (ServerError, _LostError):
                # crane looks at no blob where it finds the manifest
                if not _resend(plan, image, means):
                    raise
                _verify(plan, means)
    return Delivery(plan, engine, attempts, started)


def _inventory(repository: Repository, means: Means) -> Inventory:
    return Inventory(means.registry, repository, means.patience)


def _moving(order: Order, tags: tuple[TagPlan, ...], root: Digest, means: Means) -> bool:
    if tags:
        return any(tag.action != "keep" for tag in tags)
    return _inventory(order.repository, means).readable_manifest(root) is None


def tags_before(
    order: Order, registry: Registry, patience: Patience
) -> Mapping[str, Digest | None]:
    """Return what every tag names now; None for one that the registry fails to read."""
    inventory = Inventory(registry, order.repository, patience)
    # a tag that may exist must not be moved
    read = inventory.tags if order.immutable else inventory.readable_tags
    return read(order.tags)


def _blobs(order: Order, content: Content, means: Means) -> tuple[BlobPlan, ...]:
    digests = tuple(blob.digest for blob in content.blobs)
    # what another repository lends, and what was asked before, need not be asked for
    known = {} if order.dry_run else dict(means.early.borrow(digests))
    asked = [each for each in digests if each not in known]
    there = _inventory(order.repository, means).readable_blobs(asked)
    known |= {digest: digest in there for digest in asked}
    means.early.learn(known)
    return tuple(BlobPlan(blob, known[blob.digest]) for blob in content.blobs)


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
    inventory = _inventory(plan.repository, means)
    if not plan.missing and inventory.readable_manifest(root) is not None:
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
            with contextlib.suppress(ServerError):
                means.registry.manifest(plan.repository, root)
        attempts += 1
        sending = means.progress.start(what, size or None)
        try:
            if not means.early.bring(plan.content, missing, sending):
                engine.push(layout(), plan.content, plan.repository, sending)
            sending.complete()
        except ServerError:
            # no engine writes what the registry fails to read
            if not _resend(plan, image, means):
                raise
        finally:
            sending.finish()

    with means.timings.of("upload"):
        means.patience.call(attempt)
    return engine.name, attempts


def _resend(plan: Plan, image: Image, means: Means) -> bool:
    """Send what the repository still lacks, or cannot read; return whether it has all of it."""
    missing = {blob.digest: blob.size for blob in plan.missing}
    there = _inventory(plan.repository, means).readable_blobs(tuple(missing))
    lost = [digest for digest in missing if digest not in there]
    task = means.progress.start("sending it anew", sum(missing[digest] for digest in lost) or None)
    try:
        return means.resend(plan.content, image.paths(lost), task)
    finally:
        task.finish()


def _verify(plan: Plan, means: Means) -> None:
    inventory = _inventory(plan.repository, means)
    documents = plan.content.documents
    for (digest, data), copy in zip(documents.items(), inventory.manifests(documents), strict=True):
        if copy != data:
            raise _lost(plan.repository, str(digest))
    sent = [blob.digest for blob in plan.missing]
    there = inventory.blobs(sent)
    for blob in sent:
        if blob not in there:
            raise _lost(plan.repository, f"the blob {blob}")


def _lost(repository: Repository, what: str) -> _LostError:
    return _LostError(
        f"{repository.host} does not have {what} of {repository} after the push.",
        "No tag was moved. Push again; if it stays so, the registry loses data.",
    )
