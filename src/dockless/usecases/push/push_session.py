"""The pushes of one session: one after another, with the options of one command line."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from dockless.errors import PushError
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.plan import Plan, PushResult
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Image, ImageWriter, Registry
from dockless.retry import RetryPolicy
from dockless.usecases.push.compression_choice import CompressionChooser
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.delivery import tags_before
from dockless.usecases.push.push import move_tags, push
from dockless.usecases.push.repository_reader import RepositoryReader
from dockless.usecases.push.streaming import StreamedUploads

if TYPE_CHECKING:
    from dockless.usecases.mirror.blob_claims import BlobClaims


class KnownRegistry(Registry, Protocol):
    """A registry that can also tell which repositories it has."""

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""


class PushRegistry(Protocol):
    """A registry that responds, with the credential for one of its repositories."""

    @property
    def client(self) -> KnownRegistry:
        """Reads it."""

    @property
    def streamed(self) -> StreamedUploads | None:
        """Uploads layers while they are staged; None where the writer uploads them."""

    @property
    def direct(self) -> ImageWriter:
        """Writes to it without a program."""


class SessionAdapters(Protocol):
    """What a session works with: registries, programs, the store."""

    def open(self, repository: Repository) -> PushRegistry:
        """Return the registry of a repository, once it responds.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """

    def context(self, repository: Repository) -> PushContext:
        """Return what a push to the repository works with."""

    def stream(self, uploads: StreamedUploads) -> None:
        """Have every layer that is staged from now on uploaded at once."""

    def check_engine(self, repository: Repository) -> None:
        """Raise EngineError where the program of --engine is missing or rejects the repository."""

    def unlisted(self, repository: Repository, documents: Collection[bytes]) -> Sequence[Digest]:
        """Return those of the manifests that no list of referrers has as it should."""

    def settle_referrers(self) -> None:
        """Check that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """

    def explained(self, repository: Repository) -> AbstractContextManager[None]:
        """Return a block in which the error for a missing repository says how to make it."""

    def deleting(self) -> AbstractContextManager[None]:
        """Return a block in which what is deleted of the store raises LostCopyError."""


class PushSession:
    """Pushes images, one after another.

    Args:
        options: How images are pushed.
        adapters: What the session works with.
        chooser: Chooses the compression.
        retry_policy: The retries of each step.
        claims: Sends the blobs that several repositories share; None for pushes of their own.
    """

    def __init__(
        self,
        options: PushOptions,
        adapters: SessionAdapters,
        chooser: CompressionChooser,
        retry_policy: RetryPolicy,
        claims: "BlobClaims | None" = None,
    ) -> None:
        self._options = options
        self._adapters = adapters
        self._chooser = chooser
        self._retry_policy = retry_policy
        self._claims = claims

    def request(self, repository: Repository, tags: Sequence[str]) -> PushRequest:
        """Return a push to a repository, as the options want it."""
        options = self._options
        return PushRequest(
            repository=repository,
            tags=tuple(tags),
            immutable=options.immutable,
            verify=options.verify,
            dry_run=options.dry_run,
            check_blobs=bool(options.check_blobs),
        )

    def expect(self, request: PushRequest) -> None:
        """Upload layers to the request's repository as soon as they are staged, if allowed.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """
        streamed = self._adapters.open(request.repository).streamed
        self._adapters.check_engine(request.repository)
        self.settle(request)
        if streamed and not self._options.dry_run:
            self._adapters.stream(streamed)

    def reach(self, repository: Repository) -> None:
        """See that the registry of a repository responds.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """
        self._adapters.open(repository)

    def settle(self, request: PushRequest) -> None:
        """Choose what layers become, where that is left to dockless, before any is staged."""
        self._chooser.settle(self._reader(request.repository), request.tags)

    def deliver(
        self, repository: Repository, tags: Sequence[str], choose: Callable[[], Image]
    ) -> PushResult:
        """Push one image, whose layers are sent while they are read.

        Args:
            repository: Where to.
            tags: The tags.
            choose: Returns the image. It is called once the registry has answered, so that nothing
                is read or built for one that refuses.
        """
        self.expect(self.request(repository, tags))
        return self.push(repository, tags, choose())

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        """Push one image."""
        arrived: frozenset[Digest] = frozenset()
        checked = False
        request = self.request(repository, tags)
        try:
            self._adapters.check_engine(repository)
            with self._adapters.deleting():
                context = self._adapters.context(repository)
            self.settle(request)
            with self._adapters.explained(repository):
                result = push(request, image, context)
            if not request.dry_run:
                arrived = frozenset(blob.digest for blob in result.plan.content.blobs)
                checked = result.checked
                self._warn_of_referrers(result, context)
                if not self._claims:
                    self.settle_referrers()
        except PushError as error:
            told = self._chooser.note_refusal(repository.host, error)
            if told is error:
                raise
            raise told from error
        finally:
            if self._claims:
                self._claims.done(repository, arrived, seen=checked)
        return result

    def _warn_of_referrers(self, result: PushResult, context: PushContext) -> None:
        """Warn about what a program of --engine does not write for an image with a `subject`."""
        engine, plan = self._options.engine, result.plan
        if engine not in PROGRAMS or result.unchanged or not plan.content.refers():
            return
        documents = plan.content.documents.values()
        for digest in self._adapters.unlisted(plan.repository, documents):
            context.progress.note(
                f"Warning: {engine} did not list {digest} with its type and annotations in the "
                f"referrers tag at {plan.repository.host}. Without --engine it is listed with them."
            )

    def tags_now(self, repository: Repository, tags: Sequence[str]) -> Mapping[str, Digest | None]:
        """Return what tags refer to; None for one that does not exist, or cannot be read."""
        request, registry = self.request(repository, tags), self._adapters.open(repository).client
        return tags_before(request, registry, self._retry_policy)

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        return self._adapters.open(repository).client.has(repository)

    def settle_referrers(self) -> None:
        """Check that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        self._adapters.settle_referrers()

    def take_over(self, reserved: "BlobClaims") -> None:
        """Send what was reserved for the image that is pushed next."""
        if self._claims:
            self._claims.take_over(reserved)

    def look(
        self, repository: Repository, tags: Sequence[str], image: Image, claims: "BlobClaims"
    ) -> None:
        """Tell the others where an image's blobs are, if all its tags name it already."""
        request, content = self.request(repository, tags), image.content()
        reader = self._reader(repository)
        there = tags_before(request, reader.registry, self._retry_policy).values()
        if set(there) == {content.root.digest}:
            blobs = frozenset(blob.digest for blob in content.blobs)
            if request.check_blobs:
                blobs = reader.readable_blobs(content.blobs).there
            claims.done(repository, blobs, seen=request.check_blobs)

    def move_tags_of(self, plan: Plan, way: str) -> None:
        """Make the tags of a plan refer to what a host pushed to its repository.

        They are updated from here without a program, unless an engine named by --engine relayed
        the image.
        """
        context = self._adapters.context(plan.repository)
        if way != "relay":
            direct = self._adapters.open(plan.repository).direct
            context = replace(context, writer=lambda: direct)
        request = PushRequest(
            repository=plan.repository,
            tags=tuple(tag.tag for tag in plan.tags),
            immutable=self._options.immutable,
            verify=self._options.verify,
        )
        move_tags(request, plan, context, arrived=True)

    def _reader(self, repository: Repository) -> RepositoryReader:
        client = self._adapters.open(repository).client
        return RepositoryReader(client, repository, self._retry_policy)
