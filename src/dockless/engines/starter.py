"""The programs of one session, which are made ready early and started when one is needed."""

import contextlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.errors import DocklessError
from dockless.model.options import PushOptions
from dockless.oci.reference import Repository
from dockless.threads import NO_THREAD, DaemonThread

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockless.engines.choice import Engines
    from dockless.engines.engine_registry import EngineRegistry
    from dockless.engines.installed import InstalledEngines
    from dockless.engines.shell import Shell

_PREPARING_SECONDS = 10.0


class EngineStarter:
    """Starts programs for one session; until one is needed, nothing of them is loaded.

    Args:
        options: Which engine is asked for, and how patient it is.
        installed: Returns the programs of this machine.
        until: The moment, on the clock of `time.monotonic`, to give up at; None for none.
    """

    def __init__(
        self,
        options: PushOptions,
        installed: "Callable[[], InstalledEngines]",
        until: float | None,
    ) -> None:
        self._options = options
        self._installed = installed
        self._until = until
        self._preparing: DaemonThread | None = None

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
        """Make the program ready while the layers are staged; once."""
        if self._preparing is None:
            with contextlib.suppress(*NO_THREAD):  # it is a help and no more
                self._preparing = DaemonThread(self._load)

    def _load(self) -> None:
        # the push meets the same error again where it needs the program
        with contextlib.suppress(DocklessError, OSError, ImportError, *NO_THREAD):
            from dockless.engines.choice import prepare  # noqa: PLC0415 - a warm push needs none

            prepare(self._options, self._installed())

    def require(self, name: str) -> None:
        """Raise EngineError where a program is missing or cannot push; nothing is sent for that."""
        if self._preparing:  # which looks for it, too
            self._preparing.join(_PREPARING_SECONDS)
        self._installed().selected(name)

    def engines(
        self, registry: "EngineRegistry", repository: Repository, home: Path, *, writes: bool = True
    ) -> "Engines":
        """Return the programs for one repository.

        Args:
            registry: Its registry.
            repository: The repository.
            home: A private folder for them.
            writes: Whether they are to write, and not only to read.
        """
        from dockless.engines.choice import (  # noqa: PLC0415 - a warm push needs none
            Engines,
            EngineSurroundings,
        )

        if self._preparing:
            self._preparing.join(_PREPARING_SECONDS)
        surroundings = EngineSurroundings(
            home=home,
            until=self._until,
            shell=self._shell,
            installed=self._installed(),
            writes=writes,
        )
        return Engines(self._options, registry, repository, surroundings)
