"""One push: plan, send by digest, read back, and only then update the tags."""

from msgspec.structs import replace

from dockless.errors import (
    AuthError,
    ConflictError,
    DocklessError,
    EngineError,
    ImmutableTagError,
    LostCopyError,
    ManifestRefusedError,
    PushError,
    UsageError,
)
from dockless.model.plan import Plan, PushResult, TagPlan, written_by
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.ports import Image
from dockless.usecases.push.context import Means, Order
from dockless.usecases.push.delivery import Delivery, deliver, refuse_moves
from dockless.usecases.push.repository_reader import Inventory

_REFUSALS = (
    AuthError,
    ConflictError,
    EngineError,
    ImmutableTagError,
    ManifestRefusedError,
    UsageError,
)
_TURN_DIGITS = 3
_AGAIN = 2


def push(order: Order, image: Image, means: Means) -> PushResult:
    """Push one image.

    Nothing is exported, compressed or sent when every tag already refers to the image. Tags
    are updated last, one by one, so none ever refers to an incomplete image.

    What is staged on this machine may be deleted or damaged at any moment: it is staged again, and
    the push starts again, at most twice, since it may be deleted again.

    Raises:
        DocklessError: With the exit code of what went wrong; it names the tags that were
            updated, and that may have been.
    """
    for _ in range(_AGAIN):
        try:
            return publish(order, deliver(order, image, means), means)
        except (FileNotFoundError, LostCopyError) as error:
            means.progress.note(f"{_lost(error).what} It is staged again.")
    try:
        return publish(order, deliver(order, image, means), means)
    except FileNotFoundError as error:
        raise _lost(error) from error


def _lost(error: FileNotFoundError | LostCopyError) -> LostCopyError:
    if isinstance(error, LostCopyError):
        return error
    return LostCopyError(f"{error.filename} was deleted during the push.", "Push again.")


def publish(order: Order, delivery: Delivery, means: Means) -> PushResult:
    """Tag what was delivered.

    Raises:
        DocklessError: With the exit code of what went wrong; it names the tags that were updated.
    """
    plan, moving = delivery.plan, delivery.moving
    writers = delivery.writers
    if moving and not order.dry_run:
        with means.timings.of("tags"):
            move_tags(order, plan, means)
        if any(tag.action != "keep" for tag in plan.tags):
            writers = replace(writers, tags=written_by(means.engine().tagger))
    return PushResult(
        plan,
        unchanged=not moving,
        dry_run=order.dry_run,
        verified=moving and order.verify and not order.dry_run,
        engine=delivery.engine,
        sent=sum(blob.size for blob in plan.missing) if delivery.attempts else 0,
        attempts=delivery.attempts,
        seconds=means.clock() - delivery.started,
        checked=_is_confirmed(order, delivery),
        writers=writers,
    )


def _is_confirmed(order: Order, delivery: Delivery) -> bool:
    """Whether the registry was asked, after all that was written, and has every part.

    An answer that it took something is no proof: some answer 201 and lose it.
    """
    if order.dry_run:
        return False
    if delivery.moving:
        return order.verify or delivery.proved
    return order.check_blobs


def move_tags(order: Order, plan: Plan, means: Means) -> None:
    """Create or update every tag of the plan.

    Raises:
        DocklessError: With the exit code of what went wrong; it names the tags that were updated,
            and whether the failed one may have been.
    """
    done: list[str] = []
    for tag in plan.tags:
        if tag.action == "keep":
            continue
        try:
            # nobody else on this machine moves it between a question and its answer
            with means.turn(_turn(Reference(plan.repository, tag.tag))):
                _move(order, plan, means, tag.tag)
        except DocklessError as error:
            if done:
                error.what += f" Updated before: {', '.join(done)}."
            raise
        done.append(tag.tag)


def _move(order: Order, plan: Plan, means: Means, tag: str) -> None:
    root, name = plan.content.root.digest, Reference(plan.repository, tag)
    inventory = Inventory(means.registry, order.repository, means.patience)
    if order.immutable:
        now = inventory.tag(tag)
        refuse_moves(order, (TagPlan(tag, now, root),))
    means.moves.begin(name)
    try:
        means.patience.call(lambda: means.engine().move(plan.content, plan.repository, tag))
    except DocklessError as error:
        moved = _came_through(error, means, name, root)
        if moved is None:  # it stays among those that may have
            error.what += f" {name} may have been updated to {root}."
            raise
        if not moved:
            means.moves.end(name, moved=False)
            raise
    means.moves.end(name, moved=True)
    if order.verify:
        _read_back(inventory, name, root)


def _came_through(error: DocklessError, means: Means, name: Reference, root: Digest) -> bool | None:
    """Return whether a failed update took effect nevertheless; None if unknown."""
    if isinstance(error, _REFUSALS):
        return False
    try:
        return means.registry.tag(name.repository, name.tag) == root
    except DocklessError:
        return None


def _read_back(inventory: Inventory, name: Reference, root: Digest) -> None:
    """Check that a tag refers to its new digest."""
    try:
        now = inventory.tag(name.tag)
    except DocklessError as error:
        error.what += f" {name} was updated to {root} before that."
        raise
    if now != root:
        raise PushError(
            f"{name} refers to {now or 'nothing'} after it was updated to {root}.",
            "Another push may be changing it at the same time, or the registry reports wrong "
            "digests.",
        )


def _turn(reference: Reference) -> str:
    """Return the name of a tag's lock; some tags share one, so that there are few files."""
    return f"tag-{Digest.of(str(reference).encode()).hex[:_TURN_DIGITS]}"
