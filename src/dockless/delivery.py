"""An image brought to its repository by digest: planned, sent and read back; no tag moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockless.inventory import Inventory
from dockless.manifest_format import DockerForm, ManifestFormat, is_docker_form
from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import (
    ConflictError,
    ManifestRefusedError,
    NetworkError,
    PushError,
    ServerError,
)
from dockless.model.packing import GZIP, Packing
from dockless.model.plan import BlobPlan, Plan, TagPlan
from dockless.model.reference import Reference, Repository
from dockless.model.timings import Timings
from dockless.ports import EarlyUploads, Engine, Image, Progress, Registry, Task
from dockless.proof import read_back
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
        early: What is sent before the engine starts.
        resend: Sends blobs, and the manifests by digest, with no question asked first; None where
            nothing but the engine may write.
        engine: Returns what writes the image; called only when there is something to write.
        lay_out: Writes an OCI layout of a content and the files of its blobs, and returns it.
        progress: Where the work is shown.
        patience: How often and how long each step is tried.
        clock: Seconds that only ever grow.
        timings: Told how long each step took.
        packing: Says how layers that were not compressed are.
        manifest_format: Which media types manifests get.
    """

    registry: Registry
    early: EarlyUploads
    resend: Callable[[Content, Mapping[Digest, Path], Task], None] | None
    engine: Callable[[], Engine]
    lay_out: Callable[[Content, Mapping[Digest, Path]], Path]
    progress: Progress
    patience: Patience
    clock: Callable[[], float]
    timings: Timings = field(default_factory=Timings)
    packing: Callable[[], Packing] = lambda: GZIP
    manifest_format: ManifestFormat = field(default_factory=ManifestFormat)


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
    if means.manifest_format.docker:
        image = DockerForm(image)
    try:
        return _deliver(order, image, means)
    except ManifestRefusedError as refusal:
        docker = _accepted_form(order, image, means, refusal)
        try:
            delivery = _deliver(order, docker, means)
        except ManifestRefusedError:
            raise refusal from None
        means.manifest_format.refuse()
        return delivery


def _accepted_form(
    order: Order, image: Image, means: Means, refusal: ManifestRefusedError
) -> DockerForm:
    """Return an image that has been refused with Docker's media types; else raise."""
    old = image.content().root
    if means.manifest_format.asked != "auto" or isinstance(image, DockerForm):
        raise refusal
    docker = DockerForm(image)
    new = docker.content().root
    if new.digest == old.digest:
        raise refusal
    if order.immutable:
        raise ConflictError(
            f"{order.repository.host} accepts no OCI manifests, and with Docker's media types the "
            f"digest would be {new.digest}, not {old.digest}.",
            "Push with --manifest-format docker if that is right.",
        )
    means.progress.note(
        f"{order.repository.host} accepts no OCI manifests. With Docker's media types the digest "
        f"is {new.digest}, not {old.digest}."
    )
    return docker


def _deliver(order: Order, image: Image, means: Means) -> Delivery:
    started = means.clock()
    # asked first: a refused credential should not cost a long compression
    with means.timings.of("questions"):
        before = tags_before(order, means.registry, means.patience)
    content = _arrived(order, image, before, means)
    if content is None:
        with means.timings.of("source"):
            content = image.content()
    named = before.values()
    # pushed before to a registry of which nothing is remembered here
    if means.manifest_format.asked == "auto" and is_docker_form(content, named):
        image = DockerForm(image)
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
            _proved(plan, image, means)
    return Delivery(plan, engine, attempts, started)


def _proved(plan: Plan, image: Image, means: Means) -> None:
    """Read back what was sent; send once more what is not there."""
    try:
        _verify(plan, means)
    except (ServerError, _LostError):
        # crane looks at no blob where it finds the manifest
        if means.resend is None:
            raise
        _resend(plan, image, means, means.resend)
        _verify(plan, means)


def _arrived(
    order: Order, image: Image, before: Mapping[str, Digest | None], means: Means
) -> Content | None:
    """Return an image as the registry has it, if its digest is known and every tag names it."""
    digest = image.known_digest
    if digest is None or set(before.values()) != {digest}:
        return None
    try:
        with means.timings.of("questions"):
            return read_back(means.registry, order.repository, digest, means.patience)
    except (NetworkError, PushError):  # it is read from its source, and sent again
        return None


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
    configs = plan.content.configs()
    with means.timings.of("source"):
        blobs = image.paths(configs | {blob.digest for blob in plan.missing})
    missing = frozenset(blob.digest for blob in plan.missing)
    sending = _Sending(plan, means)

    def attempt() -> None:
        with sending as task:
            arrived = means.early.bring(missing, task)
            needed = {
                digest: path
                for digest, path in blobs.items()
                if digest in configs or digest not in arrived
            }
            try:
                engine.push(sending.layout(needed), plan.content, plan.repository, task)
            except ServerError:
                # an engine writes nothing that the registry fails to read
                if means.resend is None or not _unreadable(plan, means):
                    raise
                _resend(plan, image, means, means.resend)
            except NetworkError as error:
                raise _with_pause(error, plan, means) from None

    with means.timings.of("upload"):
        means.patience.call(attempt)
    return engine.name, sending.attempts


class _Sending:
    """The attempts to send one image: their progress, and the layout that all of them use."""

    def __init__(self, plan: Plan, means: Means) -> None:
        self._plan = plan
        self._means = means
        self._layout: Path | None = None
        self._task: Task | None = None
        self.attempts = 0

    def layout(self, blobs: Mapping[Digest, Path]) -> Path:
        """Return the layout, which is written once."""
        self._layout = self._layout or self._means.lay_out(self._plan.content, blobs)
        return self._layout

    def __enter__(self) -> Task:
        self.attempts += 1
        size = sum(blob.size for blob in self._plan.missing)
        what = "uploading" if size else "sending the manifest"
        self._task = self._means.progress.start(what, size or None)
        return self._task

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._task and kind is None:
            self._task.complete()
        if self._task:
            self._task.finish()


def _unreadable(plan: Plan, means: Means) -> bool:
    """Whether the registry fails at reading what it has of an image."""
    blobs = [blob.digest for blob in plan.missing]
    try:
        means.registry.manifest(plan.repository, plan.content.root.digest)
        means.registry.present(plan.repository, blobs)
    except ServerError:
        return True
    return False


def _with_pause(error: NetworkError, plan: Plan, means: Means) -> NetworkError:
    """Return the error of a registry that wants to be left alone, with for how long.

    Engines do not print Retry-After, so the registry is asked once more, by a request that shows
    what it says.
    """
    if not error.busy or error.retry_after is not None:
        return error
    try:
        means.registry.manifest(plan.repository, plan.content.root.digest)
    except NetworkError as told:
        return NetworkError(error.what, error.remedy, retry_after=told.retry_after, busy=True)
    return error


def _resend(
    plan: Plan,
    image: Image,
    means: Means,
    resend: Callable[[Content, Mapping[Digest, Path], Task], None],
) -> None:
    """Send what the repository still lacks, or cannot read."""
    missing = {blob.digest: blob.size for blob in plan.missing}
    there = _inventory(plan.repository, means).readable_blobs(tuple(missing))
    lost = [digest for digest in missing if digest not in there]
    task = means.progress.start("sending it again", sum(missing[digest] for digest in lost) or None)
    try:
        resend(plan.content, image.paths(lost), task)
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
