"""`dockless logout`: removes everything about a registry from this machine."""

import os
from pathlib import Path

import click

from dockless.cli import prompts
from dockless.client import accounts
from dockless.config import docker_config, project
from dockless.config.cascade import Flags, resolve
from dockless.config.docker_config import ProjectSession
from dockless.config.registries import login_target, remembers
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.user_keyrings import every_keyring_logins
from dockless.errors import UsageError
from dockless.processes.terminal import say
from dockless.storage.user_folders import working_folder


@click.command(
    epilog="""\b
Examples:
  dockless logout
  dockless logout ghcr.io
  dockless logout registry.example.com --username ci
  dockless logout --all
"""
)
@click.argument("host", required=False)
@click.option("--username", metavar="NAME", help="Remove the login of this account only.")
@click.option("--all", "everything", is_flag=True, help="Remove every login.")
def logout(*, host: str | None, username: str | None, everything: bool) -> None:
    """Remove the logins for a registry.

    They are removed from every available keyring, or from the one that
    DOCKLESS_KEYRING names; so are cached tokens, dockless's entries in the files of docker and
    podman, and the registry in docker-config.json of this folder.
    """
    if everything and (host or username):
        raise UsageError("--all does not go with HOST or --username.", "Remove one of them.")
    folder, environment = working_folder(), os.environ
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        folder, files = None, project.nowhere(Path("/"), environment)
    else:
        files = project.read(folder, environment, None)
    settings = resolve(Flags(), environment, files)
    held = every_keyring_logins(environment, accounts.prompt(prompts))
    if everything:
        scopes = sorted(
            {login.scope for keyring_logins in held for login in keyring_logins.logins()}
        )
    else:
        scopes = [login_target(host, settings).scope]
    for scope in scopes:
        _forget(scope, username or "", held, folder, files.session)
    if not scopes:
        say("There was no login.", err=True)


def _forget(
    scope: str,
    username: str,
    held: tuple[KeyringLogins, ...],
    folder: Path | None,
    remembered: ProjectSession,
) -> None:
    gone = [user for keyring_logins in held for user in keyring_logins.remove(scope, username)]
    host = scope.partition("/")[0]
    left = any(login.scope == scope for keyring_logins in held for login in keyring_logins.logins())
    if not left:
        for name in ("docker", "containers"):
            file = accounts.helper_file(name)
            if file.remove(host):
                say(f"{file.path} no longer uses docker-credential-dockless.", err=True)
        if folder and remembers(remembered, host):
            _remove(folder / docker_config.FILE)
    users = ", ".join(user or "a token" for user in dict.fromkeys(gone))
    said = f"Logged out of {scope}: {users}." if gone else f"There was no login for {scope}."
    say(said, err=True)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        say(
            f"Warning: {path} could not be removed: {error.strerror}. It holds no password.",
            err=True,
        )
