"""One run of `dockless push`: one store, one source opener, a client for each repository."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Self

from dockless.client.push_adapters import PushAdapters
from dockless.client.workspace import Workspace
from dockless.credentials.resolve import FindCredential
from dockless.model.options import PushOptions
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository
from dockless.processes.programs import Programs, ProgramsHere
from dockless.retry import RetryPolicy
from dockless.sources.opener import Opener, standard_input
from dockless.usecases.push.compression_choice import CompressionChooser
from dockless.usecases.push.push_session import PushSession

if TYPE_CHECKING:
    from pathlib import Path

    from dockless.oci.reference import Reference
    from dockless.registry.client import RegistryClient
    from dockless.sources.container_tools import ContainerTool
    from dockless.usecases.overview import Overview


class Session(PushSession):
    """Opens sources and registries on this machine, and pushes images.

    Args:
        options: How images are pushed.
        find: Finds the account and credential for a registry.
        space: Where the session works.
        programs: The machine whose container tools have local images; this one where None.

    Attributes:
        adapters: What its pushes work with.
        staging: Where layers are staged.
        opener: Opens sources; what it stages is removed when the session ends.
        timings: How long each step took.
    """

    def __init__(
        self,
        options: PushOptions,
        find: FindCredential,
        space: Workspace,
        programs: Programs | None = None,
    ) -> None:
        retry_policy = RetryPolicy(
            attempts=options.retries + 1,
            deadline=space.limits.until,
            note=space.progress.note,
            shared_backoff=space.limits.shared_backoff,
        )
        self.adapters = PushAdapters(options, find, space, retry_policy)
        chooser = CompressionChooser(options, space.staging, space.throughput, space.progress.note)
        super().__init__(options, self.adapters, chooser, retry_policy, space.claims)
        self.staging = space.staging
        self.timings = space.surroundings.timings
        self._space = space
        self._programs = programs or ProgramsHere(space.machine.environment)
        self.opener = Opener(
            space.staging,
            space.progress,
            partial(standard_input, space.surroundings.warning),
            self._tools,
            self._pull,
        )
        self.opener.warn = space.surroundings.warning

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.adapters.close()

    @property
    def platform(self) -> Platform | None:
        """The one platform of an index that is asked for."""
        return self._options.platform

    @property
    def overview(self) -> "Overview":
        """Where the work on many images is shown."""
        return self._space.overview

    def note(self, text: str) -> None:
        """Show a line where the session's work is shown."""
        self._space.progress.note(text)

    def retry_policy(self, note: Callable[[str], None]) -> RetryPolicy:
        """Return how often and how long steps are tried, as the options say.

        Args:
            note: Called with every wait.
        """
        return RetryPolicy(
            attempts=self._options.retries + 1, deadline=self._space.limits.until, note=note
        )

    def reading(self, repository: Repository) -> "RegistryClient":
        """Return what reads a registry; see `Registries.open`."""
        return self.adapters.open(repository, reading=True).client

    def _pull(self, reference: "Reference") -> "Path":
        """Pull an image of a registry; return its layout."""
        from dockless.sources.pulling import Pulling  # noqa: PLC0415 - images of registries only

        staging, progress = self._space.staging, self._space.progress
        return Pulling(staging, progress, self._retry_policy, self.adapters.reader).pull(reference)

    def _tools(self) -> "tuple[ContainerTool, ...]":
        """Return every container tool of this machine."""
        from dockless.sources.docker_daemon import tools_here  # noqa: PLC0415 - local images only

        return tools_here(self._programs, self._space.machine.environment)
