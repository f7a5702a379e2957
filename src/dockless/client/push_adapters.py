"""What the pushes of one session work with: the registries, programs and store of this machine."""

import functools
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.client.connections import Registries
from dockless.client.workspace import Workspace
from dockless.client.writer_choice import WriterChooser
from dockless.credentials import repository_creation
from dockless.credentials.resolve import FindCredential
from dockless.model.options import PROGRAMS, PushOptions
from dockless.oci.reference import Repository
from dockless.ports import Reader
from dockless.retry import RetryPolicy
from dockless.storage.checks import mislabelled
from dockless.storage.disk_errors import deleted_meanwhile
from dockless.usecases.push.context import PushContext
from dockless.usecases.push.manifest_format import ManifestFormat
from dockless.usecases.push.streaming import StreamedUploads

if TYPE_CHECKING:
    from dockless.oci.digest import Digest


class PushAdapters(Registries):
    """The adapters of one session, as `usecases.push.push_session.SessionAdapters`.

    Args:
        options: How images are pushed.
        find: Finds the credential for a registry.
        space: Where the session works.
        retry_policy: The retries of each step.
    """

    def __init__(
        self,
        options: PushOptions,
        find: FindCredential,
        space: Workspace,
        retry_policy: RetryPolicy,
    ) -> None:
        self._writers = WriterChooser(options, space)
        super().__init__(options, find, space, retry_policy, self._writers.prepare)
        self._staging = space.staging
        # also where remarks are not shown: the digest is another one
        self._say_once = functools.cache(space.surroundings.warn or space.progress.note)

    def close(self) -> None:
        """Stop the early uploads, and end what starts programs."""
        super().close()
        self._writers.close()

    def reader(self, repository: Repository) -> Callable[[Path], Reader]:
        """Return what makes the reader of a repository, once its registry responds."""
        return partial(self._writers.reader, self.open(repository, reading=True), repository)

    def stream(self, uploads: StreamedUploads) -> None:
        """Have every layer that is staged from now on uploaded at once."""
        self._staging.on_layer = uploads.offer
        self._staging.on_growing = uploads.follow

    def check_engine(self, repository: Repository) -> None:
        """Raise EngineError where the program of --engine is missing or rejects the repository."""
        self._writers.check(repository, self.open)

    def unlisted(self, repository: Repository, documents: Collection[bytes]) -> Sequence["Digest"]:
        """Return those of the manifests that no list of referrers has as it should."""
        from dockless.registry.referrers import unlisted  # noqa: PLC0415 - rare

        return unlisted(self.open(repository).client, repository, documents)

    def explained(self, repository: Repository) -> AbstractContextManager[None]:
        """Return a block in which the error for a missing repository says how to make it."""
        return repository_creation.explained(self._options, repository)

    def deleting(self) -> AbstractContextManager[None]:
        """Return a block in which what is deleted of the store raises LostCopyError."""
        return deleted_meanwhile(self._staging.store.folder)

    def context(self, repository: Repository) -> PushContext:
        """Return what a push to the repository works with."""
        opened = self.open(repository)
        staging = self._staging
        folder = staging.new_folder("push-")
        return PushContext(
            registry=opened.client,
            early=opened.early,
            writer=self._writers.writer(opened, repository, folder / "home"),
            direct=None if self._options.engine in PROGRAMS else opened.direct,
            lay_out=partial(staging.lay_out, folder),
            progress=self._space.progress,
            retry_policy=self._retry_policy,
            clock=time.monotonic,
            timings=staging.timings,
            packing=lambda: staging.packing,
            manifest_format=self._format(repository.host),
            moves=self._space.surroundings.moves,
            turn=staging.store.turn,
            prove=staging.prove,
            mislabelled=mislabelled,
        )

    def _format(self, host: str) -> ManifestFormat:
        throughput = self._space.throughput
        return ManifestFormat(
            asked=self._options.manifest_format,
            refused=not throughput.of(host).takes_oci,
            learn=partial(throughput.learn_oci, host),
            say=self._say_once,
        )
