"""The settings of a command that may not need the project: then no error in its files stops it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from dockless.config import docker_config
from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.project import Project, nowhere, project_in
from dockless.errors import DocklessError, EngineError, UsageError


def usable_settings(
    flags: Flags,
    folder: Path | None,
    environment: Mapping[str, str],
    tell: Callable[[DocklessError], None],
    *,
    needed: bool = False,
) -> tuple[Project, Settings]:
    """Return the project of a folder and its settings, without the files that cannot be used.

    Args:
        flags: The command line.
        folder: The folder; None where it is gone.
        environment: As for `resolve`.
        tell: Called with why one of the files, or a value in one, cannot be used.
        needed: Whether the command needs the project, so that any error stops it.

    Raises:
        UsageError: What was typed, or a variable, is wrong; or the project is needed and cannot be
            used.
        EngineError: The same, for the command of a secret.
    """
    try:
        files = project_in(folder, environment)
        return files, resolve(flags, environment, files)
    except (UsageError, EngineError) as error:  # the latter of a secret's command
        if needed:
            raise
        wrong = error
    without = nowhere(Path("/") if folder is None else folder, environment)
    settings = resolve(flags, environment, without)
    tell(wrong)
    if folder is None:
        return without, settings
    try:
        kept = replace(without, session=docker_config.read(folder))
        return kept, resolve(flags, environment, kept)
    except UsageError:  # it is the file of the error
        return without, settings
