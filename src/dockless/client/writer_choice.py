"""What writes to a repository, and what reads images of one, by `--engine`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.client.connections import OpenRegistry
from dockless.client.workspace import Workspace
from dockless.engines.starter import EngineStarter
from dockless.errors import DocklessError
from dockless.model.options import PROGRAMS, PushOptions
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Reader
from dockless.usecases.push.asking_writer import AskingWriter
from dockless.usecases.push.late_writer import LateWriter

if TYPE_CHECKING:
    from dockless.engines.adapters import Crane, Skopeo
    from dockless.engines.automatic import Automatic
    from dockless.engines.choice import Engines
    from dockless.registry.client import RegistryClient


class WriterChooser:
    """Chooses for one session; programs are looked for when one is needed.

    Args:
        options: Which engine is asked for.
        space: Where the session works.
        starter: Starts programs.
    """

    def __init__(self, options: PushOptions, space: Workspace, starter: EngineStarter) -> None:
        self._options = options
        self._space = space
        self._starter = starter

    def writer(self, opened: OpenRegistry, repository: Repository, home: Path) -> ImageWriter:
        """Return what writes to a repository; programs are looked for when it is used.

        Args:
            opened: Its registry.
            repository: The repository.
            home: A private folder for a program.
        """
        wanted = self._options.engine
        if wanted == "direct" or (wanted == "auto" and self._space.claims):
            return opened.direct
        late = LateWriter(lambda: self._program(opened, repository, home, writes=True))
        return AskingWriter(late, partial(_refusal, opened.client)) if wanted == "auto" else late

    def reader(self, opened: OpenRegistry, repository: Repository, home: Path) -> Reader:
        """Return what reads images of a repository; the arguments are those of `writer`."""
        if self._options.engine == "direct":
            return opened.direct
        return self._program(opened, repository, home, writes=False)

    def _program(
        self, opened: OpenRegistry, repository: Repository, home: Path, *, writes: bool
    ) -> "Automatic | Crane | Skopeo":
        from dockless.engines.choice import automatic  # noqa: PLC0415 - a warm push needs none

        engines = self._engines(opened, repository, home, writes=writes)
        if self._options.engine == "auto":
            return automatic(engines, opened.direct, self._space.progress.note)
        return engines.start(self._options.engine)

    def check(
        self, repository: Repository, open_registry: Callable[[Repository], OpenRegistry]
    ) -> None:
        """Raise EngineError where the program of --engine rejects such a repository."""
        wanted = self._options.engine
        if wanted in PROGRAMS and len(repository.path) == 1:
            opened = open_registry(repository)
            self._engines(opened, repository, self._space.folder / "home").start(wanted)

    def _engines(
        self, opened: OpenRegistry, repository: Repository, home: Path, *, writes: bool = True
    ) -> "Engines":
        from dockless.client.engine_access import engine_access  # noqa: PLC0415 - a warm push needs none

        access = engine_access(opened.client, repository)
        return self._starter.engines(access, repository, home, writes=writes)


def _refusal(client: "RegistryClient", repository: Repository) -> DocklessError | None:
    from dockless.registry.refusals import upload_refusal  # noqa: PLC0415 - rare

    return upload_refusal(client, repository)
