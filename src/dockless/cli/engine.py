"""Choosing and preparing the engine of one push."""

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import platformdirs

from dockless.cli.options import PushOptions
from dockless.credentials.authfile import authfile, docker_key
from dockless.credentials.memory import in_memory
from dockless.engines import shell as starter
from dockless.engines.adapters import Access, Crane, Entrance, Skopeo
from dockless.engines.find import own_folder
from dockless.engines.probe import Abilities, select, version
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Shell
from dockless.model.errors import EngineError
from dockless.model.reference import Repository
from dockless.model.secret import Grant
from dockless.registry.client import RegistryClient

AnyEngine = Crane | Skopeo


@dataclass(frozen=True, slots=True)
class Room:
    """Where an engine runs.

    Attributes:
        home: A private folder for it.
        until: When to give up.
        shell: Starts it.
    """

    home: Path
    until: float | None
    shell: Shell


def engine(
    options: PushOptions, client: RegistryClient, repository: Repository, room: Room
) -> AnyEngine:
    """Return the engine to push with.

    Args:
        options: Which one is asked for.
        client: The registry.
        repository: Where to.
        room: Where it runs.

    Raises:
        EngineError: There is none that can do it.
    """
    limits = Limits(room.until, options.stall_timeout)
    running = Runner(os.environ, room.home, repository.host, limits, room.shell)
    choices = {
        "crane": partial(_crane, running, client, repository),
        "skopeo": partial(_skopeo, running, client),
    }
    if options.engine != "auto":
        return choices[options.engine]()
    return _first(tuple(choices.values()))


def prepare(options: PushOptions) -> None:
    """Load and look at the engine that will be used, while there is other work to wait for."""
    starter.load()
    name = "skopeo" if options.engine == "skopeo" else "crane"
    with contextlib.suppress(EngineError):  # it comes again when the engine is needed
        _selected(name)


@functools.cache
def version_of(name: str) -> str:
    """Return the version of this machine's engine of that name; empty when it tells none."""
    return version(name, _selected(name).path, os.environ)


def missing(options: PushOptions) -> str:
    """Return why no engine of this machine can be used; empty when one can."""
    wanted = ("crane", "skopeo") if options.engine == "auto" else (options.engine,)
    reasons = []
    for name in wanted:
        try:
            _selected(name)
        except EngineError as error:
            reasons.append(error.what.rstrip("."))
        else:
            return ""
    return ", and ".join(reasons)


def crane_path() -> Path:
    """Return this machine's crane; raise EngineError when there is none that can be used."""
    return _selected("crane").path


@functools.cache
def _selected(name: str) -> Abilities:
    return select(name, _own_folder(), os.environ)


def _first(choices: tuple[Callable[[], AnyEngine], ...]) -> AnyEngine:
    reasons = []
    for choice in choices:
        try:
            return choice()
        except EngineError as error:
            reasons.append(error.what)
    raise EngineError(" ".join(reasons), "Run 'dockless tools install' to get crane.")


def _crane(running: Runner, client: RegistryClient, repository: Repository) -> AnyEngine:
    endpoint = client.http.endpoint
    if endpoint.trust.client_cert:
        raise EngineError(
            "crane cannot use client certificates.", "Install skopeo, or use --engine auto."
        )
    found = _selected("crane")
    key = docker_key(endpoint.host)
    access = Access(endpoint, lambda: _entrance(client.grant(repository), key))
    return Crane(found.path, running, access)


def _skopeo(running: Runner, client: RegistryClient) -> AnyEngine:
    found = _selected("skopeo")
    endpoint = client.http.endpoint
    # skopeo takes a token for a repository as an argument only, which everybody could read; it
    # gets its own such token for the credential
    access = Access(endpoint, lambda: _entrance(Grant(client.account()), endpoint.host))
    return Skopeo(found.path, running, access, found.policy)


def _entrance(grant: Grant, key: str) -> Entrance:
    content = authfile(key, grant.credential)
    return Entrance(partial(in_memory, content), grant.credential is None, grant.ends)


def _own_folder() -> Path:
    return own_folder(os.environ, platformdirs.user_data_path("dockless"))
