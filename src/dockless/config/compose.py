"""The image of the Compose service, where a Compose file leaves no doubt which one that is."""

import re
from collections.abc import Mapping
from pathlib import Path

from dockless.config import files
from dockless.config.document import Value
from dockless.config.setting import Setting

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<name>\w+)(?:(?P<empty>:)?-(?P<default>[^{}]*))?\})",
    re.ASCII,
)


def find(folder: Path) -> Path | None:
    """Return the project's Compose file, or None."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def images(folder: Path, environment: Mapping[str, str]) -> tuple[Setting[str], ...]:
    """Return the possible names of the image of the only built service.

    A service that is built and names no image gets one from Compose, which puts a dash between
    project and service since version 2; version 1 and podman-compose put an underscore.

    A service that is not built is no image of the project, such as a database, be it the only one:
    `docker compose push` skips it, too. With several built services it is ambiguous which is meant.
    Then, and where there is no Compose file, there is no name.

    Raises:
        UsageError: The file is not YAML, or has a wrong type.
    """
    path = find(folder)
    document = files.read_yaml(path, path.name) if path else None
    services = document.get("services") if document else None
    if document is None or services is None:
        return ()
    built = {name: service for name, service in services.mapping().items() if service.get("build")}
    if len(built) != 1:
        return ()
    [(name, service)] = built.items()
    given = service.get("image")
    if given is None:
        project = _project(document, folder, environment)
        names = (f"{project}{joint}{name}:latest" for joint in "-_")
        return tuple(Setting(each, service.origin) for each in names)
    text = _interpolate(given.text(), environment)
    return (Setting(text, given.origin),) if text else ()


def _project(document: Value, folder: Path, environment: Mapping[str, str]) -> str:
    """Return Compose's own name of the project, by the Compose specification's rules."""
    given = environment.get("COMPOSE_PROJECT_NAME") or document.optional("name")
    name = given or folder.resolve().name
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")


def _interpolate(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$VAR`, `${VAR}`, `${VAR-default}` and `${VAR:-default}`."""

    def value(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        known = environment.get(found["bare"] or found["name"])
        if known is None or (found["empty"] and not known):
            return found["default"] or ""
        return known

    return _VARIABLE.sub(value, text)
