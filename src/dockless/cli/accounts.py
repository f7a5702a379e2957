"""Who we are to a registry, by everything that this machine has."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from dockless.cli import ask, ways
from dockless.cli.folders import home_folder
from dockless.cli.vaults import Prompt, vaults
from dockless.credentials import chain, stores
from dockless.credentials.authfile import docker_key
from dockless.credentials.chain import Found
from dockless.credentials.places import Configured, Given, Sources
from dockless.model.reference import Repository
from dockless.model.secret import Credential
from dockless.settings import project
from dockless.settings.cascade import Flags, Login, Settings, resolve

if TYPE_CHECKING:
    from dockless.credentials.configure import HelperFile

_GIVEN = ("DOCKLESS_USERNAME", "DOCKLESS_PASSWORD")


def prompt() -> Prompt | None:
    """Return what asks for the password of an encrypted file; None where nobody can be asked."""
    return ask.hidden if ask.at_terminal() else None


def project_settings(username: str | None) -> Settings:
    """Return what the project's files say of credentials, for commands that push no one image."""
    files = project.read(Path.cwd(), os.environ, None)
    flags = Flags(None, None, username, (), None, None, allow_secret_commands=False)
    return resolve(flags, os.environ, files)


def find(settings: Settings, given: Given, repository: Repository) -> Found:
    """Return who we are to the registry of a repository, running programs as needed."""
    return chain.find(repository, given, sources(repository.host, settings))


def find_for(target: str, settings: Settings, given: Given, repository: Repository) -> Found:
    """Return the same for a push that also reads other registries than its target's.

    Args:
        target: The host that is pushed to; a login in the options or the environment is for it
            alone.
        settings: The project's settings.
        given: What was given for the push.
        repository: The repository that is pushed to or read.
    """
    if repository.host == target:
        return find(settings, given, repository)
    there = sources(repository.host, settings)
    environment = {key: text for key, text in there.environment.items() if key not in _GIVEN}
    return chain.find(repository, Given(), replace(there, environment=environment))


def as_found(account: Callable[[], Credential | None]) -> Callable[[Repository], Found]:
    """Return what finds the one credential, which several pushes share."""
    return lambda _: Found(account(), ())


def explain(settings: Settings, given: Given, repository: Repository) -> Found:
    """Return what `find` would, running no program."""
    return chain.explain(repository, given, sources(repository.host, settings))


def sources(host: str, settings: Settings) -> Sources:
    """Return every place where a credential for a registry may be."""
    environment, home = os.environ, home_folder()
    return Sources(
        environment,
        home,
        lambda: vaults(environment, prompt()),
        _configured(settings.login) if settings.login else None,
        ways.ways(host, environment),
        ways.identity(environment),
    )


def _configured(login: Login) -> Configured:
    def username() -> str:
        account = login.username()
        return account.value if account else ""

    return Configured(login.host, login.origin, username, login.password)


def helper_file(tool: Literal["docker", "containers"]) -> "HelperFile":
    """Return the file in which docker, or the containers tools, read who has a login.

    For these it is the one that `podman login` would write, since podman reads helpers there.
    """
    from dockless.credentials.configure import HelperFile  # noqa: PLC0415 - no push needs it

    environment, home = os.environ, home_folder()
    if tool == "docker":
        return HelperFile(stores.docker_file(environment, home), docker_key)
    named = environment.get("REGISTRY_AUTH_FILE")
    path = Path(named) if named else stores.containers_files(environment, home)[-1]
    return HelperFile(path, str)
