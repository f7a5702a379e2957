"""What writes to a repository, and what reads images of one, by `--engine`."""

import threading
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.client.connections import OpenRegistry
from dockless.client.workspace import Workspace
from dockless.errors import DocklessError
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.plan import PushResult
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Reader
from dockless.usecases.push.asking_writer import AskingWriter
from dockless.usecases.push.late_writer import LateWriter

if TYPE_CHECKING:
    from dockless.engines.choice import Engines
    from dockless.engines.shell import Shell
    from dockless.registry.client import RegistryClient

_PREPARING_SECONDS = 10.0


class WriterChooser:
    """Chooses for one session; programs are looked for when one is needed.

    Args:
        options: Which engine is asked for.
        space: Where the session works.
    """

    def __init__(self, options: PushOptions, space: Workspace) -> None:
        self._options = options
        self._space = space
        self._preparing: threading.Thread | None = None

    def close(self) -> None:
        """End the shell that starts programs, if there is one."""
        if "_shell" in vars(self):
            self._shell.close()

    @cached_property
    def _shell(self) -> "Shell":
        """The shell that starts engines; a push that starts none has none."""
        from dockless.engines.shell import Shell  # noqa: PLC0415 - not in a warm push

        return Shell()

    def prepare(self) -> None:
        """Make the program ready while the other layers are staged; once."""
        if self._preparing is None:
            self._preparing = threading.Thread(
                target=self._load_engine, name="prepare-engine", daemon=True
            )
            self._preparing.start()

    def _load_engine(self) -> None:
        from dockless.engines.choice import prepare  # noqa: PLC0415 - a warm push needs none

        prepare(self._options, self._space.engines())

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
        late = LateWriter(partial(self._program, opened, repository, home))
        return AskingWriter(late, partial(_refusal, opened.client)) if wanted == "auto" else late

    def _program(self, opened: OpenRegistry, repository: Repository, home: Path) -> ImageWriter:
        from dockless.engines.choice import automatic  # noqa: PLC0415 - a warm push needs none

        engines = self._engines(opened, repository, home)
        if self._options.engine == "auto":
            return automatic(engines, opened.direct, self._space.progress.note)
        return engines.start(self._options.engine)

    def reader(self, opened: OpenRegistry, repository: Repository, home: Path) -> Reader:
        """Return what reads images of a repository; the arguments are those of `writer`."""
        from dockless.engines.choice import automatic  # noqa: PLC0415 - most sources are files

        if self._options.engine == "direct":
            return opened.direct
        engines = self._engines(opened, repository, home, writes=False)
        if self._options.engine == "auto":
            return automatic(engines, opened.direct, self._space.progress.note)
        return engines.start(self._options.engine)

    def see_that_it_can(
        self, repository: Repository, open_registry: Callable[[Repository], OpenRegistry]
    ) -> None:
        """Raise EngineError where the program of --engine rejects such a repository."""
        wanted = self._options.engine
        if wanted in PROGRAMS and len(repository.path) == 1:
            opened = open_registry(repository)
            self._engines(opened, repository, self._space.folder / "home").start(wanted)

    def warn_of_referrers(
        self, result: PushResult, open_registry: Callable[[Repository], OpenRegistry]
    ) -> None:
        """Warn about what a program of --engine does not write for an image with a `subject`."""
        wanted, repository = self._options.engine, result.plan.repository
        if wanted not in PROGRAMS or result.unchanged or not result.plan.content.refers():
            return
        from dockless.registry.referrers import unlisted  # noqa: PLC0415 - rare

        client = open_registry(repository).client
        for digest in unlisted(client, repository, result.plan.content.documents.values()):
            self._space.progress.note(
                f"Warning: {wanted} did not list {digest} with its type and annotations in the "
                f"referrers tag at {repository.host}. Without --engine it is listed with them."
            )

    def _engines(
        self, opened: OpenRegistry, repository: Repository, home: Path, *, writes: bool = True
    ) -> "Engines":
        from dockless.client.engine_access import engine_access  # noqa: PLC0415 - a warm push needs none
        from dockless.engines.choice import Engines, Room  # noqa: PLC0415 - the same

        if self._preparing:
            self._preparing.join(_PREPARING_SECONDS)  # it is a help and no more
        until, installed = self._space.until, self._space.engines()
        room = Room(home=home, until=until, shell=self._shell, installed=installed, writes=writes)
        return Engines(self._options, engine_access(opened.client, repository), repository, room)


def _refusal(client: "RegistryClient", repository: Repository) -> DocklessError | None:
    from dockless.registry.refusals import upload_refusal  # noqa: PLC0415 - rare

    return upload_refusal(client, repository)
