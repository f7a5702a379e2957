"""One push by an engine that runs where the image is, on another host."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from dockless.errors import PushError
from dockless.model.plan import BlobPlan, Plan, TagPlan, Writers, written_by
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Registry
from dockless.retry import RetryPolicy
from dockless.usecases.push.context import PushRequest
from dockless.usecases.push.delivery import Delivery, refuse_moves, tags_before
from dockless.usecases.verify.read_back import complete, read_back


class EngineThere(Protocol):
    """An engine with one image before it, on its host."""

    @property
    def name(self) -> str:
        """Its name: `crane` or `skopeo`."""

    def digest(self) -> Digest:
        """Return the digest that the image will have once pushed."""

    def push(self, repository: Repository, digest: Digest) -> frozenset[Digest]:
        """Push the image by digest; return the digests of the blobs that had to be sent."""


class RemotePushContext(Struct, frozen=True, kw_only=True):
    """The context of such a push.

    Attributes:
        registry: Reads the registry, from here.
        engine: The engine on the host.
        retry_policy: The retries of each step.
        clock: Seconds that only ever grow.
    """

    registry: Registry
    engine: EngineThere
    retry_policy: RetryPolicy
    clock: Callable[[], float]


def deliver_there(
    request: PushRequest, image_id: Digest | None, context: RemotePushContext
) -> Delivery:
    """Have the host push its image by digest, and read it back from here; change no tag.

    Args:
        request: What is asked for.
        image_id: The digest that the host's tool knows the image by, of its config or of its
            manifest or index; None if it is not known, or may be another one once saved.
        context: What to work with.

    Raises:
        DocklessError: With the exit code of what went wrong.
    """
    started = context.clock()
    registry, retry_policy, engine = context.registry, context.retry_policy, context.engine
    before = tags_before(request, registry, retry_policy)
    digest = engine.digest()
    tags = tuple(TagPlan(tag, there, digest) for tag, there in before.items())
    if request.immutable:
        refuse_moves(request, tags)
    sent = retry_policy.call(lambda: engine.push(request.repository, digest))
    content = read_back(registry, request.repository, digest, retry_policy)
    if content is None:
        raise PushError(
            f"{request.repository.host} does not have {digest} of {request.repository} after the "
            "push.",
            "No tag was changed. Push again.",
        )
    if image_id and content.image_id and image_id not in (content.image_id, digest):
        raise PushError(
            f"The image {content.image_id} arrived, not {image_id}.",
            "No tag was changed. Push with --via relay.",
        )
    if request.verify:
        complete(registry, request.repository, content, retry_policy)
    blobs = tuple(BlobPlan(blob, blob.digest not in sent) for blob in content.blobs)
    plan = Plan(
        repository=request.repository,
        content=content,
        blobs=blobs,
        tags=tags,
        digest_is_new=image_id != digest,
    )
    there = written_by(engine.name)
    writers = Writers(blobs=there if sent else (), manifests=there)
    return Delivery(plan=plan, engine=engine.name, attempts=1, started=started, writers=writers)


def already_there(
    request: PushRequest, image_id: Digest, registry: Registry, retry_policy: RetryPolicy
) -> Content | None:
    """Return what every tag names, if that is this image already, however packed."""
    named = set(tags_before(request, registry, retry_policy).values())
    digest = named.pop()
    if named or digest is None:
        return None
    content = read_back(registry, request.repository, digest, retry_policy)
    if content is None or image_id not in (content.image_id, digest):
        return None
    if request.check_blobs:
        try:
            complete(registry, request.repository, content, retry_policy)
        except PushError:  # it is pushed again
            return None
    return content
