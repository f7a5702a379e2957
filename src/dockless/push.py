"""One push: plan, send by digest, read back, and only then move the tags."""

from dockless.delivery import Delivery, deliver, refuse_moves
from dockless.inventory import Inventory
from dockless.model.errors import DocklessError, PushError
from dockless.model.plan import Plan, PushResult, TagPlan
from dockless.model.reference import Reference
from dockless.ports import Image
from dockless.push_context import Means, Order


def push(order: Order, image: Image, means: Means) -> PushResult:
    """Push one image.

    Nothing is exported, compressed or sent when every tag already names what would be pushed.
    The tags move last, one by one, so none ever names an incomplete image.

    Raises:
        DocklessError: With the exit code of what went wrong; no tag was moved, unless the error
            says so.
    """
    return publish(order, deliver(order, image, means), means)


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
    inventory = Inventory(means.registry, order.repository, means.patience)

    def attempt() -> None:
        means.engine().move(plan.content, plan.repository, tag)

    if order.immutable:
        now = inventory.tag(tag)
        refuse_moves(order, (TagPlan(tag, now, root.digest),))
    means.patience.call(attempt)
    now = inventory.tag(tag) if order.verify else root.digest
    if now != root.digest:
        raise PushError(
            f"{Reference(plan.repository, tag)} names {now or 'nothing'} after it was moved to "
            f"{root.digest}.",
            "Somebody else may push to it at the same time, or the registry lies.",
        )
