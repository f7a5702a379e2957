"""One run of `dockless push`: one store, one source opener, a client for each repository."""

import contextlib
import functools
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from dockless.client import repositories
from dockless.client.compression_choice import CompressionChooser
from dockless.client.connections import Find, OpenRegistry, Registries
from dockless.client.options import PROGRAMS, PushOptions
from dockless.client.workspace import Workspace
from dockless.config.naming import Target
from dockless.errors import LostCopyError, PushError
from dockless.model.plan import Plan, PushResult
from dockless.oci.content import Content
from dockless.oci.platform import Platform
from dockless.oci.reference import Reference, Repository
from dockless.ports import Engine, Image, Reader
from dockless.processes.programs import Programs, ProgramsHere
from dockless.retry import RetryPolicy
from dockless.sources.opener import Opener
from dockless.storage.folders import deleted_meanwhile, full_disk
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.delivery import tags_before
from dockless.usecases.push.manifest_format import ManifestFormat
from dockless.usecases.push.push import move_tags, push
from dockless.usecases.push.repository_reader import RepositoryReader

if TYPE_CHECKING:
    from dockless.client.engine_choice import Engines
    from dockless.engines.shell import Shell
    from dockless.oci.digest import Digest
    from dockless.registry.blob_claims import BlobClaims
    from dockless.sources.container_tools import ContainerTool
    from dockless.usecases.push.context import Copy


_PREPARING_SECONDS = 10.0
_AGAIN = 2


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
        until = space.until
        self.opener = Opener(
            space.staging,
            space.progress,
            # unbuffered: a thread may wait for it to the end, and must hold no lock then
            partial(io.FileIO, 0, closefd=False),
            self._tools,
            self._pull,
        )
        self._options = options
        self._progress = space.progress
        self._folder = space.folder
        self._claims = space.claims
        self._until = until
        self._retry_policy = RetryPolicy(
            options.retries + 1, until, space.progress.note, shared_backoff=space.shared_backoff
        )
        self._registries = Registries(
            options, find, space, self._retry_policy, self._prepare_engine
        )
        self._preparing: threading.Thread | None = None
        self._staging = space.staging
        self._throughput = space.throughput
        self._chooser = CompressionChooser(
            options, space.staging, space.throughput, space.progress.note
        )
        self.timings = space.surroundings.timings
        self._space = space
        self._said: set[str] = set()
        self._programs = programs or ProgramsHere(space.machine.environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._registries.close()
        if "_shell" in vars(self):
            self._shell.close()

    @cached_property
    def _shell(self) -> "Shell":
        """The shell that starts engines; a push that starts none has none."""
        from dockless.engines.shell import Shell  # noqa: PLC0415 - not in a warm push

        return Shell()

    def note(self, text: str) -> None:
        """Show a line where the session's work is shown."""
        self._progress.note(text)

    def retry_policy(self, note: Callable[[str], None]) -> RetryPolicy:
        """Return how often and how long steps are tried, as the options say.

        Args:
            note: Told of every wait.
        """
        return RetryPolicy(self._options.retries + 1, self._until, note)

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
        ahead = self.registry(request.repository).ahead
        self._see_that_it_can(request.repository)
        self.settle(request)
        if ahead and not self._options.dry_run:
            self._staging.on_layer = ahead.offer
            self._staging.on_growing = ahead.follow

    def settle(self, request: PushRequest) -> None:
        """Choose what layers become, where that is left to us, before any is staged."""
        client = self.registry(request.repository).client
        self._chooser.settle(
            RepositoryReader(client, request.repository, self._retry_policy), request.tags
        )

    def _prepare_engine(self) -> None:
        """Make the engine ready while the other layers are staged; once."""
        if self._preparing is None:
            self._preparing = threading.Thread(
                target=self._load_engine, name="prepare-engine", daemon=True
            )
            self._preparing.start()

    def _load_engine(self) -> None:
        from dockless.client.engine_choice import prepare  # noqa: PLC0415 - a warm push needs none

        prepare(self._options, self._space.engines())

    def registry(self, repository: Repository, *, reading: bool = False) -> OpenRegistry:
        """Return the registry of a repository, once it responds; prompt for a credential if needed.

        Args:
            repository: The repository.
            reading: Whether it is only read, for which a token service may need no credential.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """
        return self._registries.open(repository, reading=reading)

    def push(self, target: Target, image: Image) -> PushResult:
        """Push one image to its target."""
        arrived: frozenset[Digest] = frozenset()
        checked = False
        request = self.request(target)
        try:
            self._see_that_it_can(request.repository)
            with self.deleting():
                context = self.context(request.repository)
            self.settle(request)
            with repositories.explained(self._options, request.repository):
                result = push(request, image, context)
            if not request.dry_run:
                arrived = frozenset(blob.digest for blob in result.plan.content.blobs)
                checked = result.checked
                self._warn_of_referrers(result)
                if not self._claims:
                    self.settle_referrers()
        except PushError as error:
            told = self._chooser.note_refusal(request.repository.host, error)
            if told is error:
                raise
            raise told from error
        finally:
            if self._claims:
                self._claims.done(request.repository, arrived, seen=checked)
        return result

    def _warn_of_referrers(self, result: PushResult) -> None:
        """Warn about what a program of --engine does not write for an image with a `subject`."""
        wanted, repository = self._options.engine, result.plan.repository
        if wanted not in PROGRAMS or result.unchanged or not result.plan.content.refers():
            return
        from dockless.registry.referrers import unlisted  # noqa: PLC0415 - rare

        client = self.registry(repository).client
        for digest in unlisted(client, repository, result.plan.content.documents.values()):
            self._progress.note(
                f"Warning: {wanted} did not list {digest} with its type and annotations in the "
                f"referrers tag at {repository.host}. Without --engine it is listed with them."
            )

    def settle_referrers(self) -> None:
        """Check that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        self._registries.settle()

    def take_over(self, reserved: "BlobClaims") -> None:
        """Send what was reserved for the image that is pushed next."""
        if self._claims:
            self._claims.take_over(reserved)

    def look(self, target: Target, image: Image, claims: "BlobClaims") -> None:
        """Tell the others where an image's blobs are, if all its tags name it already."""
        request, content = self.request(target), image.content()
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

    def _pull(self, reference: Reference) -> Path:
        """Pull an image of a registry into a layout, which is removed with the session.

        It is pulled again, at most twice, where something deletes it meanwhile.

        Raises:
            LostCopyError: It was deleted each time.
        """
        for _ in range(_AGAIN):
            try:
                return self._pull_once(reference)
            except LostCopyError as error:
                self._progress.note(f"{error.what} {reference} is pulled again.")
        return self._pull_once(reference)

    def _pull_once(self, reference: Reference) -> Path:
        repository = reference.repository
        opened = self.registry(repository, reading=True)
        self._staging.renew()
        with self.deleting():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="pulled-", dir=self._folder))
            reader = self._reader(opened, repository, folder / "home")
            task = self._progress.start(f"pulling {reference}", None)
            try:
                self._retry_policy.call(lambda: reader.pull(reference, folder / "layout"))
            finally:
                task.finish()
            (folder / "layout" / "index.json").stat()
        return folder / "layout"

    def move_tags_of(self, plan: Plan, way: str) -> None:
        """Make the tags of a plan refer to what a host pushed to its repository.

        They are updated from here without a program, unless an engine named by --engine relayed
        the image.
        """
        context = self.context(plan.repository)
        if way != "relay":
            direct = self.registry(plan.repository).direct
            context = replace(context, engine=lambda: direct)
        tags = tuple(tag.tag for tag in plan.tags)
        request = PushRequest(plan.repository, tags, self._options.immutable, self._options.verify)
        move_tags(request, plan, context)

    def request(self, target: Target) -> PushRequest:
        """Return what the command line asks for."""
        options = self._options
        return PushRequest(
            target.repository.value,
            tuple(tag.value for tag in target.tags),
            options.immutable,
            options.verify,
            options.dry_run,
            bool(options.check_blobs),
        )

    def context(self, repository: Repository) -> PushContext:
        """Return what a push to the repository works with."""
        opened = self.registry(repository)
        self._staging.renew()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="push-", dir=self._folder))
        return PushContext(
            opened.client,
            opened.early,
            None if self._options.engine in PROGRAMS else opened.direct.send,
            functools.cache(lambda: self._writer(opened, repository, folder / "home")),
            partial(self._lay_out, folder),
            self._progress,
            self._retry_policy,
            time.monotonic,
            self.timings,
            lambda: self._staging.packing,
            self._format(repository.host),
            self._space.surroundings.moves,
            self._staging.store.turn,
            lambda copies, read: self.prove(copies, read=read),
        )

    def _lay_out(self, folder: Path, content: Content, blobs: Mapping["Digest", Path]) -> Path:
        from dockless.storage.oci_layout import write_layout  # noqa: PLC0415 - a warm push writes none

        self._staging.renew()
        with full_disk(self._staging.store.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            layout = Path(tempfile.mkdtemp(prefix="layout-", dir=folder))
        return write_layout(layout, content, blobs, self.timings)

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

    def _say_once(self, text: str) -> None:
        """Show a line once, also where remarks are not shown: the digest is another one."""
        if text not in self._said:
            self._said.add(text)
            (self._space.surroundings.warn or self._progress.note)(text)

    def _writer(self, opened: OpenRegistry, repository: Repository, home: Path) -> Engine:
        """Return what writes to a repository; programs are not looked for before that is asked."""
        wanted = self._options.engine
        if wanted == "direct" or (wanted == "auto" and self._claims):
            return opened.direct
        from dockless.client.engine_choice import automatic  # noqa: PLC0415 - a warm push needs none

        engines = self._engines(opened, repository, home)
        if wanted == "auto":
            return automatic(engines, opened.direct, self._progress.note)
        return engines.start(wanted)

    def _see_that_it_can(self, repository: Repository) -> None:
        """Raise EngineError where the program of --engine rejects such a repository."""
        wanted = self._options.engine
        if wanted in PROGRAMS and len(repository.path) == 1:
            opened = self.registry(repository)
            self._engines(opened, repository, self._folder / "home").start(wanted)

    def _reader(self, opened: OpenRegistry, repository: Repository, home: Path) -> Reader:
        """Return what reads images of a registry."""
        from dockless.client.engine_choice import automatic  # noqa: PLC0415 - most sources are files

        if self._options.engine == "direct":
            return opened.direct
        engines = self._engines(opened, repository, home)
        if self._options.engine == "auto":
            return automatic(engines, opened.direct, self._progress.note)
        return engines.start(self._options.engine)

    def _engines(self, opened: OpenRegistry, repository: Repository, home: Path) -> "Engines":
        from dockless.client.engine_choice import Engines, Room  # noqa: PLC0415 - a warm push needs none

        if self._preparing:
            self._preparing.join(_PREPARING_SECONDS)  # it is a help and no more
        room = Room(
            home=home, until=self._until, shell=self._shell, installed=self._space.engines()
        )
        return Engines(self._options, opened.client, repository, room)
