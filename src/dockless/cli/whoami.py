"""`dockless whoami`: which logins there are, where, and until when."""

import os
from typing import Literal

import click

from dockless.cli import prompts
from dockless.cli.options import FORMAT
from dockless.client import accounts
from dockless.credentials import auth_files
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.login_keys import scope
from dockless.credentials.user_keyrings import every_keyring_logins
from dockless.errors import AuthError
from dockless.model.login import Login
from dockless.model.printable import json_text
from dockless.processes.terminal import say
from dockless.report.logins import logins_document, logins_text
from dockless.storage.user_folders import home_folder


@click.command(
    epilog="""\b
Examples:
  dockless whoami
  dockless whoami ghcr.io
  dockless whoami --format json
"""
)
@click.argument("host", required=False)
@FORMAT
def whoami(*, host: str | None, output: Literal["text", "json"]) -> None:
    """List the logins of this machine, without secrets.

    These are the logins in keyrings and in the files of docker and podman. With HOST only its
    logins are listed, and having none is an error (4).
    """
    found = [
        login
        for keyring_logins in every_keyring_logins(os.environ, accounts.prompt(prompts))
        for login in _kept(keyring_logins)
    ]
    found += auth_files.listed(os.environ, home_folder())
    if host:
        found = [login for login in found if login.scope == scope(host)]
        if not found:
            raise AuthError(f"There is no login for {host}.", f"Create one: dockless login {host}")
    if output == "json":
        say(json_text(logins_document(found)))
    elif found:
        say(logins_text(found))
    else:
        say("There is no login. Create one with: dockless login HOST", err=True)


def _kept(keyring_logins: KeyringLogins) -> tuple[Login, ...]:
    """Return the logins of a keyring; one that fails is reported, and the others are listed."""
    try:
        return keyring_logins.logins()
    except AuthError as error:
        say(f"Warning: {error}", err=True)
        return ()
