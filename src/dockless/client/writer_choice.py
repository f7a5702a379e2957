"""What writes to a repository, and what reads images of one, by `--engine`."""

import functools
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.client.connections import OpenRegistry
from dockless.client.workspace import Workspace
from dockless.model.options import PROGRAMS, PushOptions
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Reader

if TYPE_CHECKING:
    from dockless.engines.automatic import Automatic
    from dockless.engines.choice import Engines
    from dockless.engines.program_writers import Crane, Skopeo
    from dockless.engines.starter import EngineStarter
    from dockless.registry.direct import Direct


class WriterChooser:
    """Chooses for one session; programs are looked for when one is needed.

    Args:
        options: Which engine is asked for.
        space: Where the session works.
    """

    def __init__(self, options: PushOptions, space: Workspace) -> None:
        self._options = options
        self._space = space

    def close(self) -> None:
        """End what starts programs, if anything was to be started."""
        if "_starter" in vars(self):
            self._starter.close()

    @cached_property
    def _starter(self) -> "EngineStarter":
        """What starts programs; a push that starts none has none."""
        from dockless.engines.starter import EngineStarter  # noqa: PLC0415 - a warm push needs none

        return EngineStarter(self._options, self._space.engines, self._space.limits.until)

    def prepare(self) -> None:
        """Make the program ready while the layers are staged; once."""
        self._starter.prepare()

    def writer(
        self, opened: OpenRegistry, repository: Repository, home: Path
    ) -> Callable[[], ImageWriter]:
        """Return what gives the writer of a repository; programs are looked for when it is called.

        Args:
            opened: Its registry.
            repository: The repository.
            home: A private folder for a program.
        """
        wanted = self._options.engine
        if wanted == "direct" or (wanted == "auto" and self._space.claims):
            return lambda: opened.direct
        return functools.cache(partial(self._program, opened, repository, home, writes=True))

    def reader(self, opened: OpenRegistry, repository: Repository, home: Path) -> Reader:
        """Return what reads images of a repository; the arguments are those of `writer`."""
        if self._options.engine == "direct":
            return opened.direct
        return self._program(opened, repository, home, writes=False)

    def _program(
        self, opened: OpenRegistry, repository: Repository, home: Path, *, writes: bool
    ) -> "Automatic | Crane | Skopeo | Direct":
        auto = self._options.engine == "auto"
        if auto and writes and (self._options.rate or opened.client.http.slots.most):
            return opened.direct  # a program knows no limit on requests or speed
        engines = self._engines(opened, repository, home, writes=writes)
        if auto:
            return engines.automatic(opened.direct, self._space.progress.note)
        return engines.start(self._options.engine)

    def check(
        self, repository: Repository, open_registry: Callable[[Repository], OpenRegistry]
    ) -> None:
        """Raise EngineError where the program of --engine is missing or rejects the repository."""
        wanted = self._options.engine
        if wanted in PROGRAMS:
            self._starter.require(wanted)
        if wanted in PROGRAMS and len(repository.path) == 1:
            opened = open_registry(repository)
            home = self._space.staging.new_folder("engine-") / "home"
            self._engines(opened, repository, home).start(wanted)

    def _engines(
        self, opened: OpenRegistry, repository: Repository, home: Path, *, writes: bool = True
    ) -> "Engines":
        return self._starter.engines(opened.client, repository, home, writes=writes)
