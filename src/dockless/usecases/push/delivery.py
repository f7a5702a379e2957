"""An image pushed to its repository by digest: planned, sent and read back; no tag is changed."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.concurrency import map_concurrently
from dockless.errors import (
    ConflictError,
    ManifestRefusedError,
    NetworkError,
    PushError,
)
from dockless.model.plan import BlobPlan, Plan, TagPlan, Writers
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.ports import Image, Registry
from dockless.retry import RetryPolicy
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.manifest_format import DockerForm, is_docker_form
from dockless.usecases.push.repository_reader import RepositoryReader

_AT_ONCE = 4


class Delivery(Struct, frozen=True, kw_only=True):
    """An image that the repository has by its digest, and no tag refers to yet.

    Attributes:
        plan: What was planned; what was missing is there now.
        engine: The name of the engine that sent it; empty when there was nothing to send.
        attempts: How often the engine was started to send it.
        started: When it began, on the clock of the context.
        moving: Whether any tag is to be made or moved, or the image, if it gets none, was missing,
            or something of it that had been there.
        writers: Which programs wrote blobs and manifests.
        proved: Whether it was read back since it had been lost, though that was not asked for.
    """

    plan: Plan
    engine: str
    attempts: int
    started: float
    moving: bool = True
    writers: Writers = Writers()
    proved: bool = False


def deliver(request: PushRequest, image: Image, context: PushContext) -> Delivery:
    """Push an image to its repository by digest, and read it back; change no tag.

    Raises:
        DocklessError: With the exit code of what went wrong.
    """
    image = _in_its_format(request, image, context)
    try:
        delivery = _deliver(request, image, context)
    except ManifestRefusedError as refusal:
        delivery = _deliver_refused(request, image, context, refusal)
    else:
        if context.manifest_format.asked == "oci" and delivery.attempts:
            context.manifest_format.learn(takes_oci=True)
    return delivery


def _deliver_refused(
    request: PushRequest, image: Image, context: PushContext, refusal: ManifestRefusedError
) -> Delivery:
    """Push an image that has been refused with Docker's media types."""
    docker = _accepted_form(request, image, context, refusal)
    try:
        delivery = _deliver(request, docker, context)
    except ManifestRefusedError:
        raise ManifestRefusedError(
            refusal.what, f"Docker's media types are refused as well. {refusal.remedy}".strip()
        ) from refusal
    why = f"{request.repository.host} calls the OCI manifest invalid."
    if refusal.about_type:  # else it may have meant this one manifest
        context.manifest_format.learn(takes_oci=False)
        why = (
            f"{request.repository.host} accepts no OCI manifests; this is remembered, and "
            "--manifest-format oci tries again."
        )
    context.manifest_format.say(
        f"{why} With Docker's media types the digest is {docker.content().root.digest}, not "
        f"{image.content().root.digest}."
    )
    return delivery


def _in_its_format(request: PushRequest, image: Image, context: PushContext) -> Image:
    """Return an image with the media types that the registry gets from the start.

    Where only a remembered refusal is the reason for Docker's, they are not used if tags are
    immutable, since another digest has to be asked for, nor for what they cannot say.
    """
    format_ = context.manifest_format
    if format_.asked == "docker":
        return DockerForm(image, "")
    if format_.asked == "oci" or not format_.refused or request.immutable:
        return image
    why = f"{request.repository.host} accepted no OCI manifests before."
    format_.say(
        f"{why} Images are pushed with Docker's media types, and so with another digest; "
        "--manifest-format oci tries again, and resets this if they are accepted."
    )
    return DockerForm(image, why, optional=True)


def _accepted_form(
    request: PushRequest, image: Image, context: PushContext, refusal: ManifestRefusedError
) -> DockerForm:
    """Return an image that has been refused with Docker's media types; else raise."""
    old = image.content().root
    if context.manifest_format.asked == "oci":
        raise ManifestRefusedError(
            refusal.what, "Leave --manifest-format out to push with Docker's media types."
        ) from refusal
    if context.manifest_format.asked != "auto" or isinstance(image, DockerForm):
        raise refusal
    docker = DockerForm(image, refusal.what)
    new = docker.content().root
    if new.digest == old.digest:
        raise refusal
    if request.immutable:
        raise ConflictError(
            f"{request.repository.host} accepts no OCI manifests, and with Docker's media types "
            f"the digest would be {new.digest}, not {old.digest}.",
            "Push with --manifest-format docker if that is acceptable.",
        )
    return docker


def _deliver(request: PushRequest, image: Image, context: PushContext) -> Delivery:
    planned, image = _planned(request, image, context)
    if not planned.moving or request.dry_run:
        return planned
    return _sent(request, image, context, planned)


def _planned(request: PushRequest, image: Image, context: PushContext) -> tuple[Delivery, Image]:
    """Ask the registry, read the image, and plan; return the image as it is to be sent, too."""
    started = context.clock()
    # asked first: a refused credential should not cost a long compression
    with context.timings.of("questions"):
        before = tags_before(request, context.registry, context.retry_policy)
    content = _arrived(request, image, before, context)
    if content is None:
        with context.timings.of("source"):
            content = image.content()
    named = before.values()
    # pushed before to a registry of which nothing is remembered here
    if context.manifest_format.asked == "auto" and is_docker_form(content, named):
        image = DockerForm(image, "")
        content = image.content()
    wanted = content.root.digest
    tags = tuple(TagPlan(tag, digest, wanted) for tag, digest in before.items())
    with context.timings.of("questions"):
        moving = _moving(request, tags, wanted, context)
    if request.immutable:
        refuse_moves(request, tags)
    lost = not moving and _has_lost(request, content, context)
    if lost:
        moving = True
        content = image.content()  # it was not read where its tags named it
    with context.timings.of("questions"):
        blobs = _blobs(request, content, context) if moving else _all_present(content)
    plan = Plan(
        repository=request.repository,
        content=content,
        blobs=blobs,
        tags=tags,
        digest_is_new=image.digest_is_new,
        packing=context.packing(),
    )
    delivery = Delivery(
        plan=plan, engine="", attempts=0, started=started, moving=moving, proved=lost
    )
    return delivery, image


def _has_lost(request: PushRequest, content: Content, context: PushContext) -> bool:
    """Whether the registry lacks anything of an image whose tags are right, if that is asked."""
    with context.timings.of("questions"):
        lost = request.check_blobs and not _is_whole(request, content, context)
    if lost:
        context.progress.note(
            f"{request.repository.host} has lost content of {request.repository}."
        )
    return lost


def _sent(request: PushRequest, image: Image, context: PushContext, planned: Delivery) -> Delivery:
    """Send what is planned, and read it back."""
    from dockless.usecases.push.sending import send  # noqa: PLC0415 - a warm push sends nothing

    sent = send(planned.plan, image, context)
    writers = sent.writers
    if request.verify or planned.proved:
        from dockless.usecases.push.proving import proved  # noqa: PLC0415 - the same

        with context.timings.of("verify"):
            writers = proved(planned.plan, image, context, writers)
    return replace(planned, engine=sent.engine, attempts=sent.attempts, writers=writers)


def _arrived(
    request: PushRequest, image: Image, before: Mapping[str, Digest | None], context: PushContext
) -> Content | None:
    """Return an image as the registry has it, if its digest is known and every tag names it."""
    digest = image.known_digest
    if digest is None or set(before.values()) != {digest}:
        return None
    from dockless.usecases.verify.read_back import read_back  # noqa: PLC0415 - for some daemons

    try:
        with context.timings.of("questions"):
            return read_back(context.registry, request.repository, digest, context.retry_policy)
    except (NetworkError, PushError):  # it is read from its source, and sent again
        return None


def _is_whole(request: PushRequest, content: Content, context: PushContext) -> bool:
    """Whether the registry says that it has the root manifest and everything that it leads to.

    Manifests are read and compared. Blobs are asked for by HEAD, which proves that they are there
    and, where the registry says so, how long they are; not what is in them.
    """
    reader, root = context.reader(request.repository), content.root
    if context.registry.said_length(request.repository, root.digest) not in (None, root.size):
        return False
    # an answer to HEAD gives the digest that was asked for, whatever the copy holds
    if None in map_concurrently(reader.readable_manifest, content.documents, _AT_ONCE):
        return False
    there = reader.readable_blobs(content.blobs).there
    return all(blob.digest in there for blob in content.blobs)


def _moving(
    request: PushRequest, tags: tuple[TagPlan, ...], root: Digest, context: PushContext
) -> bool:
    if tags:
        return any(tag.action != "keep" for tag in tags)
    return context.reader(request.repository).readable_manifest(root) is None


def tags_before(
    request: PushRequest, registry: Registry, retry_policy: RetryPolicy
) -> Mapping[str, Digest | None]:
    """Return what every tag names now; None for one that the registry fails to read."""
    reader = RepositoryReader(registry, request.repository, retry_policy)
    # a tag that may exist must not be moved
    read = reader.tags if request.immutable else reader.readable_tags
    return read(request.tags)


def _blobs(request: PushRequest, content: Content, context: PushContext) -> tuple[BlobPlan, ...]:
    digests = tuple(blob.digest for blob in content.blobs)
    # what another repository lends, and what was asked before, need not be asked for
    known = {} if request.dry_run else dict(context.early.mount(digests))
    asked = [each for each in content.blobs if each.digest not in known]
    found = context.reader(request.repository).readable_blobs(asked)
    known |= {each.digest: each.digest in found.there for each in asked}
    for each in asked:
        if each.digest in found.damaged:
            fault = found.fault(each, request.repository)
            context.progress.note(f"{fault}. It has to be uploaded again.")
    context.early.mark_present(known)
    return tuple(BlobPlan(blob, known[blob.digest]) for blob in content.blobs)


def _all_present(content: Content) -> tuple[BlobPlan, ...]:
    return tuple(BlobPlan(blob, present=True) for blob in content.blobs)


def refuse_moves(request: PushRequest, tags: tuple[TagPlan, ...]) -> None:
    """Raise ConflictError when a tag would change to another digest."""
    for tag in tags:
        if tag.action == "move":
            raise ConflictError(
                f"{Reference(request.repository, tag.tag)} exists and refers to {tag.before}, not "
                f"{tag.after}.",
                "Choose another tag, or leave out --immutable.",
            )
