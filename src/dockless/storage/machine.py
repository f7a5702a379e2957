"""What belongs to the user on whose behalf dockless works."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dockless.storage.user_folders import data_folder, home_folder, tools_folder

_NOWHERE = Path("/nonexistent")


class Machine(Struct, frozen=True, kw_only=True):
    """What belongs to the user on whose behalf a client works. Nothing else is read of them.

    Attributes:
        environment: Variables: proxies, PATH and others.
        home: The user's home.
        data: The folder of dockless's data, with the engines that it has installed.
        cache: The folder that holds the stores of staged layers; None for the one that the
            environment names.
        has_logins: Whether the logins of the user that are stored there are read.
    """

    environment: Mapping[str, str]
    home: Path
    data: Path
    cache: Path | None = None
    has_logins: bool = True


def bare_machine(cache: Path) -> Machine:
    """Return a machine with nothing but a folder for the store: no environment, and no home."""
    return Machine(environment={}, home=_NOWHERE, data=_NOWHERE, cache=cache, has_logins=False)


def this_machine() -> Machine:
    """Return what this process's environment says.

    Raises:
        UsageError: It has a relative folder of engines, which is reported before any work is done.
    """
    tools_folder(os.environ)
    return Machine(environment=os.environ, home=home_folder(), data=data_folder())
