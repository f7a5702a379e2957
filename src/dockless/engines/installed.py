"""Which engine of a name is used, by the environment and by what the last push probes found."""

import time
from pathlib import Path

from dockless.engines.find import own_folder
from dockless.engines.probe import Abilities, select
from dockless.engines.probe import version as version_of
from dockless.engines.probe_records import ProbeRecords, probe_records
from dockless.storage.machine import Machine


def own_engines(machine: Machine) -> Path:
    """Return the folder that dockless installs engines into."""
    return own_folder(machine.environment, machine.data)


class InstalledEngines:
    """The engines that a user has; each is looked for once.

    Args:
        machine: The user's environment and folders.

    Attributes:
        environment: The user's environment.
    """

    def __init__(self, machine: Machine) -> None:
        self.environment = machine.environment
        self._machine = machine
        self._selected: dict[str, Abilities] = {}
        self._versions: dict[str, str] = {}

    @property
    def records(self) -> ProbeRecords:
        """What push probes found."""
        return probe_records(self.environment, self._machine.cache)

    def selected(self, name: str) -> Abilities:
        """Return the engine that a push uses: the first that can push and passed its last probe.

        Raises:
            EngineError: There is none that can push.
        """
        if name not in self._selected:
            records = self.records
            now = time.time()

            def fault(abilities: Abilities) -> str:
                last = records.of(abilities.path, now, abilities.policy)
                return last.reason if last and not last.passed else ""

            own = own_engines(self._machine)
            self._selected[name] = select(name, own, self.environment, fault)
        return self._selected[name]

    def version(self, name: str) -> str:
        """Return the version of the engine of that name; empty when it tells none."""
        if name not in self._versions:
            self._versions[name] = version_of(name, self.selected(name).path, self.environment)
        return self._versions[name]
