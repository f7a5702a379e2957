"""Choosing and preparing what writes the images of one push."""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.engines.automatic import Automatic, Program, Whole
from dockless.engines.engine_registry import EngineRegistry, engine_grant
from dockless.engines.installed import InstalledEngines
from dockless.engines.program_writers import Access, Crane, Skopeo
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Shell, load
from dockless.errors import EngineError
from dockless.model.options import PROGRAMS, PushOptions
from dockless.oci.reference import Repository


class EngineSurroundings(Struct, frozen=True, kw_only=True):
    """Where an engine runs.

    Attributes:
        home: A private folder for it.
        until: When to give up.
        shell: Starts it.
        installed: What can be started.
        writes: Whether it is to write, and not only to read.
    """

    home: Path
    until: float | None
    shell: Shell
    installed: InstalledEngines
    writes: bool = True


class Engines:
    """The programs that can write to, and read from, one repository.

    Args:
        options: How patient they are.
        registry: Its registry.
        repository: The repository.
        surroundings: Where they run.
    """

    def __init__(
        self,
        options: PushOptions,
        registry: EngineRegistry,
        repository: Repository,
        surroundings: EngineSurroundings,
    ) -> None:
        limits = Limits(surroundings.until, options.stall_timeout)
        self._installed = surroundings.installed
        self._environment = surroundings.installed.environment
        self._runner = Runner(
            self._environment, surroundings.home, repository.host, limits, surroundings.shell
        )
        self._registry = registry
        self._repository = repository
        # by name, the program alone writes, an upload that is only begun included
        self._written = repository if surroundings.writes and options.engine == "auto" else None

    def start(self, name: str) -> Crane | Skopeo:
        """Return one of them.

        Raises:
            EngineError: It is not installed, or cannot do it.
        """
        if why := self.refuses(name):
            raise EngineError(why, "Push with --engine auto.")
        if why := self._registry.exposed_by(name, self._written):
            raise EngineError(f"{why}.", "Push with --engine auto or direct.")
        return self._crane() if name == "crane" else self._skopeo()

    def automatic(self, direct: Whole, note: Callable[[str], None]) -> Automatic:
        """Return the writer of `--engine auto`.

        Args:
            direct: What writes without a program.
            note: Shows one line.
        """
        tried = [
            Program(
                name=name, start=partial(self.start_sound, name), trial=partial(self.trial, name)
            )
            for name in PROGRAMS
        ]
        registry = self._registry
        return Automatic(
            tried, direct, note, registry.upload_refusal, lambda: registry.login() is None
        )

    def start_sound(self, name: str) -> Crane | Skopeo:
        """Return one of them, if its last push probe passed.

        Raises:
            EngineError: It is not installed, cannot do it, or failed its push probe.
        """
        if fault := self._installed.selected(name).fault:
            raise EngineError(fault)
        return self.start(name)

    def refuses(self, name: str) -> str:
        """Return why an installed program rejects the repository's name, as a sentence."""
        from dockless.engines.names import refuses_repository  # noqa: PLC0415 - rare

        path = self._installed.selected(name).path
        return refuses_repository(name, path, self._repository, self._environment)

    def trial(self, name: str) -> str:
        """Push a small image with a program, and remember the result.

        Returns:
            Why that failed, as a sentence; empty when it did not, or could not be tried.
        """
        from dockless.engines.push_probe import probe_push  # noqa: PLC0415 - rare

        found = self._installed.selected(name)
        with contextlib.suppress(EngineError):
            home = self._runner.home
            result = probe_push(name, found.path, found.policy, self._environment, home)
            self._installed.records.keep(found.path, result, found.policy)
            return result.reason
        return ""

    def _crane(self) -> Crane:
        if self._registry.endpoint.trust.client_cert:
            raise EngineError(
                "crane cannot use client certificates.", "Install skopeo, or use --engine auto."
            )
        found = self._installed.selected("crane")
        return Crane(found.path, self._runner, self._access("crane"))

    def _skopeo(self) -> Skopeo:
        found = self._installed.selected("skopeo")
        return Skopeo(found.path, self._runner, self._access("skopeo"), found.policy)

    def _access(self, name: str) -> Access:
        grant = partial(engine_grant, name, self._registry, self._repository)
        return Access(self._registry.endpoint, grant)


def prepare(options: PushOptions, installed: InstalledEngines) -> None:
    """Load and check the program that will be used, while other work runs."""
    if options.engine == "direct":
        return
    load()
    name = "skopeo" if options.engine == "skopeo" else "crane"
    with contextlib.suppress(EngineError):  # it comes again when the engine is needed
        installed.selected(name)
