"""The image of a host: built there, named there by the user, or found by its names."""

import shlex
from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec import Struct

from dockless.errors import SourceError
from dockless.model.builder import HostRecipe
from dockless.model.host import Facts
from dockless.model.server import Server
from dockless.sources.host_build import build_there
from dockless.sources.known_tools import Storeless, container_tools
from dockless.sources.local import find_local
from dockless.sources.on_host import HostImage, HostShell
from dockless.sources.spec_there import parse_there, splits
from dockless.sources.sudo import SudoShell


class HostPlace(Protocol):
    """A host that is logged in to."""

    @property
    def facts(self) -> Facts:
        """What it reports."""

    @property
    def shell(self) -> HostShell:
        """Its programs and files."""


class HostWish(Struct, frozen=True, kw_only=True):
    """Which image of the hosts is meant.

    Attributes:
        names: What it may be called there, in order, unless the server has a name for it.
        there: The source on the hosts, as the user typed it; None for the image of these names.
        build: Builds it there first; None where it is not to be built.
        sudo: Whether container tools there are run as root.
    """

    names: tuple[str, ...]
    there: str | None
    build: HostRecipe | None
    sudo: bool = False

    def tool_shell(self, shell: HostShell) -> HostShell:
        """Return what runs container tools on a host."""
        return SudoShell(shell) if self.sudo else shell


def find_on_host(
    wish: HostWish,
    server: Server,
    place: HostPlace,
    step: Callable[[str], None],
    warn: Callable[[str], None],
) -> HostImage:
    """Return the image of a host.

    Args:
        wish: Which one.
        server: What the project says of the host.
        place: The host.
        step: Called with what is done, one line each.
        warn: Called with what the user must see.

    Raises:
        SourceError: There is none.
        EngineError: It cannot be built, or no container tool there can be used.
        UsageError: The source is neither a path there nor an image name.
    """
    shell, home = place.shell, place.facts.home
    tool_shell = wish.tool_shell(shell)
    names, tool, typed = wish.names, "", False
    if server.image_name:
        names = (server.image_name,)
    if wish.build:
        names, tool = build_there(wish.build, tool_shell, home, server, step)
    elif wish.there is not None:
        source = parse_there(_at_home(wish.there, home), partial(_kind_of_path, shell))
        if source.kind != "local":
            return HostImage(source=source)
        names, tool, typed = (source.name,), source.tool, True
    known = (each for each in container_tools(tool_shell) if tool in ("", each.name))
    if not (wish.sudo or place.facts.container_store):
        known = (Storeless(each.name, shell) if each.has_store else each for each in known)
    tools = tuple(known)
    try:
        has, image = find_local(names, tools, warn, typed=typed, there=True)
    except SourceError as error:
        if typed and not tool and (hint := _path_hint(wish.there or "", shell)):
            raise error.with_context(remedy=f"{hint} {error.remedy}") from error
        raise
    step(f"Source: {has.name} image {image.shown}{', with sudo' if wish.sudo else ''}")
    return HostImage(tool=has, local=image, shell=tool_shell)


def _path_hint(typed: str, shell: HostShell) -> str:
    """Return how a file or folder of a host is named whose path was taken for an image's name."""
    for tried, _ in splits(typed):
        if kind := _kind_of_path(shell, tried):
            form = f"./{typed} or oci:{typed}" if kind == "folder" else f"./{typed}"
            return f"There is a {kind} {tried} on the host: name it {form}."
    return ""


def _at_home(path: str, home: str) -> str:
    """Return a path of a host with its `~/` replaced by a home there."""
    return f"{home}/{path.removeprefix('~/')}" if path.startswith("~/") else path


def _kind_of_path(shell: HostShell, path: str) -> str:
    """Return what is at a path of a host: `folder`, `file`, or nothing."""
    quoted = shlex.quote(path)
    test = f"if [ -d {quoted} ]; then echo folder; elif [ -e {quoted} ]; then echo file; fi"
    return shell.script(test).stdout.decode().strip()
