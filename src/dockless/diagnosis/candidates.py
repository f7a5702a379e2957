"""What a word of the command line can be completed to, as far as this machine knows.

A shell waits for it whenever the key is pressed: nothing is asked over the network, no keyring is
opened that would show a dialog, and a program has two seconds. What cannot be read has nothing.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from dockless.concurrency import map_concurrently
from dockless.config.docker_config import host_of
from dockless.config.project import project_here
from dockless.config.server_list import read as read_servers
from dockless.credentials import auth_files, keyrings
from dockless.credentials.user_keyrings import CHOSEN, open_keyring_logins
from dockless.diagnosis.keyring import why_hidden
from dockless.diagnosis.programs import BriefPrograms
from dockless.errors import DocklessError, UsageError
from dockless.model import kinds
from dockless.model.server import SSH_PORT, Server
from dockless.sources.archive_names import names_in
from dockless.sources.known_tools import container_tools
from dockless.ssh.config_hosts import config_hosts

_SECONDS = 2.0
_LOCALHOST = "localhost/"
_TRANSPORTS = {"docker-daemon": "docker", "containers-storage": "podman"}


class TypedWord(Struct, frozen=True, kw_only=True):
    """A word that is to be completed.

    Attributes:
        text: What was typed of it.
        environment: The user's.
        home: The user's home.
        folder: The current folder.
    """

    text: str
    environment: Mapping[str, str]
    home: Path
    folder: Path


def candidates(what: str, asked: TypedWord) -> list[str]:
    """Return what a word can be, each once and in alphabetical order.

    Args:
        what: What the word is: one of `WORDS`.
        asked: The word.
    """
    with contextlib.suppress(DocklessError, OSError):
        return sorted({word for word in WORDS[what](asked) if word.startswith(asked.text)})
    return []


def _kinds(asked: TypedWord) -> Iterator[str]:
    del asked
    yield from (kind.name for kind in kinds.KINDS)


def _keyrings(asked: TypedWord) -> Iterator[str]:
    del asked
    yield from keyrings.CHOICES


def _destinations(asked: TypedWord) -> Iterator[str]:
    for path in (asked.folder / "config").glob("deploy.*.yml"):
        yield path.name.removeprefix("deploy.").removesuffix(".yml")


def _sources(asked: TypedWord) -> Iterator[str]:
    """Yield images of container tools, or of the archive or layout before the first colon.

    Files are among them where an image fits, too; else they are left to the shell.
    """
    path, colon, _ = asked.text.partition(":")
    if colon and path in _TRANSPORTS:
        yield from (f"{path}:{name}" for name in _local(asked, _TRANSPORTS[path]))
    elif colon and (names := names_in(asked.folder / _with_home(path))):
        yield from (f"{path}:{name}" for name in names)
    elif images := [name for name in _local(asked) if name.startswith(asked.text)]:
        yield from images
        yield from _files(asked)


def _with_home(path: str) -> Path:
    """Return a path with `~` and `~NAME` replaced, as far as there is such a home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _files(asked: TypedWord) -> Iterator[str]:
    """Yield the files and folders, the latter with a slash, that the word may become."""
    before, slash, begin = asked.text.rpartition("/")
    for path in (asked.folder / f"{before}{slash}").iterdir():
        if path.name.startswith(begin) and (begin or not path.name.startswith(".")):
            yield f"{before}{slash}{path.name}{'/' if path.is_dir() else ''}"


def _local(asked: TypedWord, only: str = "") -> Iterator[str]:
    """Yield the names of the images that container tools have."""

    def names(tool: str) -> list[str]:
        # each with its own time: a daemon that hangs does not hide the others
        found = container_tools(BriefPrograms(asked.environment, _SECONDS))
        with contextlib.suppress(DocklessError, OSError):
            return next(each.names() for each in found if each.name == tool and each.available())
        return []

    tools = [each.name for each in container_tools(BriefPrograms(asked.environment, _SECONDS))]
    chosen = [tool for tool in tools if only in ("", tool) and _is_here(tool, asked)]
    for listed in map_concurrently(names, chosen, max(1, len(chosen))):
        yield from (name.removeprefix(_LOCALHOST) for name in listed)


def _is_here(tool: str, asked: TypedWord) -> bool:
    return BriefPrograms(asked.environment, _SECONDS).has(tool)


def _images(asked: TypedWord) -> Iterator[str]:
    """Yield what the image at the registry can be: a host with a slash, or a local name."""
    yield from (f"{host}/" for host in _registries(asked))
    yield from (name for name in _local(asked) if "/" in name)


def _registries(asked: TypedWord) -> Iterator[str]:
    """Yield the registries of the project, and those that a login is known for."""
    with contextlib.suppress(DocklessError, OSError):
        project = project_here(asked.environment, None)
        if project.deploy.server:
            yield project.deploy.server.value
        if host := host_of(project.session):
            yield host
    unread: list[UsageError] = []
    for login in auth_files.listed(asked.environment, asked.home, unread):
        yield login.scope
    chosen = asked.environment.get(CHOSEN, "")
    for choice in (chosen,) if chosen else keyrings.available(asked.environment):
        if not why_hidden(choice, asked.environment, terminal=False):
            with contextlib.suppress(DocklessError):
                for login in open_keyring_logins(choice, asked.environment).logins():
                    yield login.scope


def _hosts(asked: TypedWord) -> Iterator[str]:
    """Yield hosts, with the account before them that was typed."""
    user, at, _ = asked.text.rpartition("@")
    for server in _servers(asked):
        port = "" if server.port == SSH_PORT else f":{server.port}"
        yield f"{user}{at}{server.address}{port}"
    for name in config_hosts(asked.home):
        yield f"{user}{at}{name}"


def _servers(asked: TypedWord) -> tuple[Server, ...]:
    with contextlib.suppress(DocklessError, OSError):
        deploy = project_here(asked.environment, None).deploy
        found = deploy.servers or read_servers(asked.folder)
        return found.value if found else ()
    return ()


def _nothing(asked: TypedWord) -> Iterator[str]:
    """Yield nothing: files, which the shell itself completes."""
    del asked
    yield from ()


WORDS: Mapping[str, Callable[[TypedWord], Iterator[str]]] = {
    "destinations": _destinations,
    "files": _nothing,
    "hosts": _hosts,
    "images": _images,
    "keyrings": _keyrings,
    "kinds": _kinds,
    "registries": _registries,
    "sources": _sources,
}
"""What a word can be, and where it is looked for."""
