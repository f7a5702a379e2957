"""One push: plan, send by digest, read back, and only then update the tags."""

from msgspec.structs import replace

from dockless.errors import (
    AuthError,
    ConflictError,
    ContentRefusedError,
    DocklessError,
    EngineError,
    ImmutableTagError,
    LostCopyError,
    ManifestRefusedError,
    PolicyError,
    PushError,
    RepositoryMissingError,
    UsageError,
)
from dockless.model.plan import Plan, PushResult, TagPlan, written_by
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.ports import Image
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.delivery import Delivery, deliver, refuse_moves
from dockless.usecases.push.repository_reader import RepositoryReader

_NOT_SENT = (ConflictError, EngineError, PolicyError, UsageError)
"""Errors on this machine, before any request to update the tag: the registry need not be asked."""

_REFUSALS = (AuthError, ContentRefusedError, ImmutableTagError, ManifestRefusedError)
"""Answers of the registry by which the tag was certainly not updated."""

_OTHER_REFUSALS = (ContentRefusedError, ImmutableTagError, LostCopyError, RepositoryMissingError)
"""Errors that say by themselves what was wrong, so that none is taken for an immutable tag."""

_TURN_DIGITS = 3
_MOST_RESTARTS = 2


def push(request: PushRequest, image: Image, context: PushContext) -> PushResult:
    """Push one image.

    Nothing is exported, compressed or sent when every tag already refers to the image. Tags
    are updated last, one by one, so none ever refers to an incomplete image.

    What is staged on this machine may be deleted or damaged at any moment: it is staged again, and
    the push starts again, at most twice, since it may be deleted again.

    Raises:
        DocklessError: With the exit code of what went wrong; it names the tags that were
            updated, and that may have been.
    """
    restarts = 0
    while True:
        try:
            return _pushed_once(request, image, context)
        except LostCopyError as error:
            if restarts == _MOST_RESTARTS:
                raise
            context.progress.note(f"{error.what} It is staged again.")
            restarts += 1


def _pushed_once(request: PushRequest, image: Image, context: PushContext) -> PushResult:
    try:
        return publish(request, deliver(request, image, context), context)
    except FileNotFoundError as error:
        what = f"{error.filename} was deleted during the push."
        raise LostCopyError(what, "Push again.") from error


def publish(request: PushRequest, delivery: Delivery, context: PushContext) -> PushResult:
    """Tag what was delivered.

    Raises:
        DocklessError: With the exit code of what went wrong; it names the tags that were updated.
    """
    plan, moving = delivery.plan, delivery.moving
    writers = delivery.writers
    if moving and not request.dry_run:
        with context.timings.of("tags"):
            move_tags(request, plan, context, arrived=delivery.attempts > 0)
        if any(tag.action != "keep" for tag in plan.tags):
            writers = replace(writers, tags=written_by(context.writer().tagger))
    return PushResult(
        plan=plan,
        unchanged=not moving,
        dry_run=request.dry_run,
        verified=moving and request.verify and not request.dry_run,
        engine=delivery.engine,
        sent=sum(blob.size for blob in plan.missing) if delivery.attempts else 0,
        attempts=delivery.attempts,
        seconds=context.clock() - delivery.started,
        checked=_is_confirmed(request, delivery),
        writers=writers,
    )


def _is_confirmed(request: PushRequest, delivery: Delivery) -> bool:
    """Whether the registry was asked, after all that was written, and has every part.

    A response that accepts something is not proof: some respond with 201 and lose it.
    """
    if delivery.moving:
        return not request.dry_run and (request.verify or delivery.proved)
    return request.check_blobs


def move_tags(request: PushRequest, plan: Plan, context: PushContext, *, arrived: bool) -> None:
    """Create or update every tag of the plan.

    Args:
        request: What is asked for.
        plan: The plan.
        context: What to work with.
        arrived: Whether the registry accepted the image by its digest before, in this push, so that
            a refusal is about the tag, and not about the account.

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
            with context.turn(_turn(Reference(plan.repository, tag.tag))):
                _move(request, plan, context, tag.tag, arrived=arrived)
        except DocklessError as error:
            if done:
                what = f"{error.what} Updated before: {', '.join(done)}."
                raise error.with_context(what) from error
            raise
        done.append(tag.tag)


def _move(
    request: PushRequest, plan: Plan, context: PushContext, tag: str, *, arrived: bool
) -> None:
    root, name = plan.content.root.digest, Reference(plan.repository, tag)
    reader = RepositoryReader(context.registry, request.repository, context.retry_policy)
    if request.immutable:
        now = reader.tag(tag)
        refuse_moves(request, (TagPlan(tag, now, root),))
    context.moves.begin(name)
    try:
        context.retry_policy.call(lambda: context.writer().tag(plan.content, plan.repository, tag))
    except DocklessError as error:
        _settle_failed(error, context, name, plan.content, arrived=arrived)
    context.moves.end(name, moved=True)
    if request.verify:
        _read_back(reader, name, plan.content, context)


def _settle_failed(
    error: DocklessError, context: PushContext, name: Reference, content: Content, *, arrived: bool
) -> None:
    """Raise what a failed update means, unless it took effect nevertheless.

    Registries word it differently, and with different statuses, that a tag must not be overwritten.
    But all of them took the same manifest by its digest; so where the tag refers to another one,
    and they refuse its PUT with such a status, it counts as that. What failed before the PUT, as
    where a program reads the manifest first, shows nothing of the tag.
    """
    root = content.root.digest
    try:
        asked = not isinstance(error, _NOT_SENT)
        now = context.registry.tag(name.repository, name.tag) if asked else None
    except DocklessError:
        if not isinstance(error, _REFUSALS):  # it stays among those that may have
            what = f"{error.what} {name} may have been updated to {root}."
            raise error.with_context(what) from error
        now = None
    if _refers_to(content, now):
        return
    context.moves.end(name, moved=False)
    about_tag = arrived if isinstance(error, AuthError) else isinstance(error, PushError)
    about_tag = about_tag and error.refuses_put
    if now is not None and about_tag and not isinstance(error, _OTHER_REFUSALS):
        raise ImmutableTagError(
            f"{name} exists and refers to {now}, not {root}, and the registry refuses to move "
            f"it: {error.what}",
            f"Give another tag than {name.tag}; if tags are immutable there, have them made "
            "mutable, or the account allowed to overwrite them.",
        ) from error
    raise error


def _read_back(
    reader: RepositoryReader, name: Reference, content: Content, context: PushContext
) -> None:
    """Check that a tag refers to its new digest."""
    root = content.root.digest
    try:
        now = reader.tag(name.tag)
    except DocklessError as error:
        what = f"{error.what} {name} was updated to {root} before that."
        raise error.with_context(what) from error
    if now == root:
        return
    if _refers_to(content, now):
        context.progress.note(
            f"{name} refers to {now}, as the registry identifies {root} by another algorithm."
        )
    else:
        raise PushError(
            f"{name} refers to {now or 'nothing'} after it was updated to {root}.",
            "Another push may be changing it at the same time, or the registry reports wrong "
            "digests.",
        )


def _refers_to(content: Content, now: Digest | None) -> bool:
    """Whether a digest, which may be of another algorithm, is that of the image's root."""
    root = content.root.digest
    return now is not None and (now == root or now.matches(content.documents[root]))


def _turn(reference: Reference) -> str:
    """Return the name of a tag's lock; some tags share one, so that there are few files."""
    return f"tag-{Digest.of(str(reference).encode()).hex[:_TURN_DIGITS]}"
