"""One run of `dockless push`: one store, one source opener, a client for each repository."""

import contextlib
import functools
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from dockless.client.connections import Find, OpenRegistry, Registries
from dockless.client.workspace import Workspace
from dockless.client.writer_choice import WriterChooser
from dockless.credentials import repository_creation
from dockless.errors import PushError
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.plan import Plan, PushResult
from dockless.oci.content import Content
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository
from dockless.ports import Image, Reader
from dockless.processes.programs import Programs, ProgramsHere
from dockless.retry import RetryPolicy
from dockless.sources.opener import Opener
from dockless.sources.pulling import Pulling
from dockless.storage.disk_errors import deleted_meanwhile
from dockless.storage.folders import make_own
from dockless.usecases.push.compression_choice import CompressionChooser
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.delivery import tags_before
from dockless.usecases.push.manifest_format import ManifestFormat
from dockless.usecases.push.push import move_tags, push
from dockless.usecases.push.repository_reader import RepositoryReader

if TYPE_CHECKING:
    from dockless.oci.digest import Digest
    from dockless.registry.client import RegistryClient
    from dockless.sources.archive import Candidate
    from dockless.sources.container_tools import ContainerTool
    from dockless.usecases.mirror.blob_claims import BlobClaims
    from dockless.usecases.push.context import Copy


class Session:
    """Pushes images, one after another, with the options of one command line.

    Args:
        options: How images are pushed.
        find: Finds the account and credential for a registry.
        space: Where the session works.
        programs: The machine whose container tools have local images; this one where None.

    Attributes:
        opener: Opens sources; what it stages is removed when the session ends.
        timings: How long each step took.
    """

    def __init__(
        self,
        options: PushOptions,
        find: Find,
        space: Workspace,
        programs: Programs | None = None,
    ) -> None:
        self._options = options
        self._retry_policy = RetryPolicy(
            attempts=options.retries + 1,
            deadline=space.until,
            note=space.progress.note,
            shared_backoff=space.shared_backoff,
        )
        self._writers = WriterChooser(options, space)
        self._registries = Registries(
            options, find, space, self._retry_policy, self._writers.prepare
        )
        self._staging = space.staging
        self._throughput = space.throughput
        self._chooser = CompressionChooser(
            options, space.staging, space.throughput, space.progress.note
        )
        self.timings = space.surroundings.timings
        self._space = space
        # also where remarks are not shown: the digest is another one
        self._say_once = functools.cache(space.surroundings.warn or space.progress.note)
        self._programs = programs or ProgramsHere(space.machine.environment)
        pulling = Pulling(
            space.staging, space.folder, space.progress, self._retry_policy, self._reader
        )
        self.opener = Opener(
            space.staging,
            space.progress,
            # unbuffered: a thread may wait for it to the end, and must hold no lock then
            partial(io.FileIO, 0, closefd=False),
            self._tools,
            pulling.pull,
        )
        self.opener.warn = space.surroundings.warning

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._registries.close()
        self._writers.close()

    def note(self, text: str) -> None:
        """Show a line where the session's work is shown."""
        self._space.progress.note(text)

    def retry_policy(self, note: Callable[[str], None]) -> RetryPolicy:
        """Return how often and how long steps are tried, as the options say.

        Args:
            note: Called with every wait.
        """
        return RetryPolicy(
            attempts=self._options.retries + 1, deadline=self._space.until, note=note
        )

    def _reader(self, repository: Repository) -> Callable[[Path], Reader]:
        """Return what makes the reader of a repository, once its registry responds."""
        opened = self._registries.open(repository, reading=True)
        return partial(self._writers.reader, opened, repository)

    def _tools(self) -> "tuple[ContainerTool, ...]":
        """Return every container tool of this machine."""
        from dockless.sources.docker_daemon import tools_here  # noqa: PLC0415 - local images only

        return tools_here(self._programs, self._space.machine.environment)

    def expect(self, request: PushRequest) -> None:
        """Upload layers to the request's repository as soon as they are staged, if allowed.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """
        streamed = self.registry(request.repository).streamed
        self._writers.see_that_it_can(request.repository, self.registry)
        self.settle(request)
        if streamed and not self._options.dry_run:
            self._staging.on_layer = streamed.offer
            self._staging.on_growing = streamed.follow

    def settle(self, request: PushRequest) -> None:
        """Choose what layers become, where that is left to us, before any is staged."""
        client = self.registry(request.repository).client
        self._chooser.settle(
            RepositoryReader(client, request.repository, self._retry_policy), request.tags
        )

    def registry(self, repository: Repository) -> OpenRegistry:
        """Return the registry of a repository, as `Registries.open` does."""
        return self._registries.open(repository)

    def reading(self, repository: Repository) -> "RegistryClient":
        """Return what reads a registry, as `registry`; a token service may need no credential."""
        return self._registries.open(repository, reading=True).client

    def deliver(
        self, repository: Repository, tags: Sequence[str], choose: "Callable[[Opener], Candidate]"
    ) -> PushResult:
        """Push one image, whose layers are sent while they are read.

        Args:
            repository: Where to.
            tags: The tags.
            choose: Returns the image. It is called once the registry has answered, so that nothing
                is read or built for one that refuses.
        """
        self.expect(self.request(repository, tags))
        return self.push(repository, tags, choose(self.opener).open())

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        """Push one image."""
        arrived: frozenset[Digest] = frozenset()
        checked = False
        request = self.request(repository, tags)
        try:
            self._writers.see_that_it_can(request.repository, self.registry)
            with self.deleting():
                context = self.context(request.repository)
            self.settle(request)
            with repository_creation.explained(self._options, request.repository):
                result = push(request, image, context)
            if not request.dry_run:
                arrived = frozenset(blob.digest for blob in result.plan.content.blobs)
                checked = result.checked
                self._writers.warn_of_referrers(result, self.registry)
                if not self._space.claims:
                    self.settle_referrers()
        except PushError as error:
            told = self._chooser.note_refusal(request.repository.host, error)
            if told is error:
                raise
            raise told from error
        finally:
            if self._space.claims:
                self._space.claims.done(request.repository, arrived, seen=checked)
        return result

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        return self.registry(repository).client.has(repository)

    def settle_referrers(self) -> None:
        """Check that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        self._registries.settle()

    def take_over(self, reserved: "BlobClaims") -> None:
        """Send what was reserved for the image that is pushed next."""
        if self._space.claims:
            self._space.claims.take_over(reserved)

    def look(
        self, repository: Repository, tags: Sequence[str], image: Image, claims: "BlobClaims"
    ) -> None:
        """Tell the others where an image's blobs are, if all its tags name it already."""
        request, content = self.request(repository, tags), image.content()
        registry = self.registry(request.repository).client
        there = tags_before(request, registry, self._retry_policy).values()
        if set(there) == {content.root.digest}:
            blobs = frozenset(blob.digest for blob in content.blobs)
            if request.check_blobs:
                reader = RepositoryReader(registry, request.repository, self._retry_policy)
                blobs = reader.readable_blobs(content.blobs).there
            claims.done(request.repository, blobs, seen=request.check_blobs)

    @property
    def platform(self) -> Platform | None:
        """The one platform of an index that is asked for."""
        return self._options.platform

    def deleting(self) -> contextlib.AbstractContextManager[None]:
        """Return a block in which what is deleted of the store raises LostCopyError."""
        return deleted_meanwhile(self._staging.store.folder)

    def move_tags_of(self, plan: Plan, way: str) -> None:
        """Make the tags of a plan refer to what a host pushed to its repository.

        They are updated from here without a program, unless an engine named by --engine relayed
        the image.
        """
        context = self.context(plan.repository)
        if way != "relay":
            context = replace(context, writer=self.registry(plan.repository).direct)
        tags = tuple(tag.tag for tag in plan.tags)
        request = PushRequest(
            repository=plan.repository,
            tags=tags,
            immutable=self._options.immutable,
            verify=self._options.verify,
        )
        move_tags(request, plan, context)

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

    def context(self, repository: Repository) -> PushContext:
        """Return what a push to the repository works with."""
        opened = self.registry(repository)
        self._staging.renew()
        make_own(self._space.folder)
        folder = Path(tempfile.mkdtemp(prefix="push-", dir=self._space.folder))
        return PushContext(
            registry=opened.client,
            early=opened.early,
            writer=self._writers.writer(opened, repository, folder / "home"),
            direct=None if self._options.engine in PROGRAMS else opened.direct,
            lay_out=partial(self._lay_out, folder),
            progress=self._space.progress,
            retry_policy=self._retry_policy,
            clock=time.monotonic,
            timings=self.timings,
            packing=lambda: self._staging.packing,
            manifest_format=self._format(repository.host),
            moves=self._space.surroundings.moves,
            turn=self._staging.store.turn,
            prove=lambda copies, read: self.prove(copies, read=read),
        )

    def _lay_out(self, folder: Path, content: Content, blobs: Mapping["Digest", Path]) -> Path:
        from dockless.storage.oci_layout import lay_out  # noqa: PLC0415 - a warm push writes none

        self._staging.renew()
        return lay_out(folder, self._staging.store.folder, content, blobs, self.timings)

    def prove(self, copies: Iterable["Copy"], *, read: bool) -> None:
        """Compare staged copies with the blobs that they should be; drop what is not.

        Raises:
            LostCopyError: One is missing or damaged.
        """
        self._staging.renew()
        self._staging.store.prove(copies, read=read)

    def _format(self, host: str) -> ManifestFormat:
        refused = not self._throughput.of(host).takes_oci
        return ManifestFormat(
            asked=self._options.manifest_format,
            refused=refused,
            learn=partial(self._throughput.learn_oci, host),
            say=self._say_once,
        )
