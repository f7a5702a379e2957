"""Which engine of a name is used, by the environment and by what the last push probes found."""

import os
import time
from pathlib import Path

from dockless.client.folders import data_folder
from dockless.client.stores import probe_records
from dockless.engines.find import own_folder
from dockless.engines.probe import Abilities, select


def own_engines() -> Path:
    """Return the folder that dockless installs engines into."""
    return own_folder(os.environ, data_folder())


def selected(name: str) -> Abilities:
    """Return the engine that a push uses: the first that can push and passed its last probe.

    Raises:
        EngineError: There is none that can push.
    """
    records = probe_records(os.environ)
    now = time.time()

    def fault(abilities: Abilities) -> str:
        last = records.of(abilities.path, now, abilities.policy)
        return last.reason if last and not last.passed else ""

    return select(name, own_engines(), os.environ, fault)
