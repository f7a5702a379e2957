"""`dockless whoami`: which logins there are, where, and until when."""

import os
from typing import Literal

import click

from dockless.cli import prompts
from dockless.cli.options import FORMAT
from dockless.cli.param_types import completing
from dockless.credentials import auth_files
from dockless.credentials.login_keys import scope
from dockless.credentials.prompting import hidden_prompt
from dockless.credentials.user_keyrings import CHOSEN, every_login
from dockless.errors import AuthError, UsageError
from dockless.model.printable import json_text
from dockless.processes.terminal import say, tell
from dockless.report.help_texts import EPILOGS
from dockless.report.logins import logins_document, logins_text
from dockless.storage.user_folders import home_folder


@click.command(epilog=EPILOGS["whoami"])
@click.argument("host", required=False, shell_complete=completing("registries"))
@FORMAT
def whoami(*, host: str | None, output: Literal["text", "json"]) -> None:
    """List the logins of this machine, without secrets.

    These are the logins in keyrings and in the files of docker and podman. With HOST only its
    logins are listed, and having none is an error (4).
    """
    closed: list[AuthError] = []
    unread: list[UsageError] = []
    found = list(every_login(os.environ, hidden_prompt(prompts), closed))
    found += auth_files.listed(os.environ, home_folder(), unread)
    if host:
        found = [login for login in found if login.scope == scope(host)]
    if output == "json" and (found or not host):
        say(json_text(logins_document(found, [str(each) for each in (*closed, *unread)])))
    elif found:
        say(logins_text(found))
    if closed and not found and (host or os.environ.get(CHOSEN)):
        raise closed[0]  # whether there is a login is not known
    if unread and not found and host:
        raise unread[0]
    for each in (*closed, *unread):
        tell(f"Warning: {each}")
    if host and not found:
        its = scope(host)
        raise AuthError(f"There is no login for {its}.", f"Create one: dockless login {its}")
    if not found and output == "text":
        what = "No login was found" if closed or unread else "There is no login"
        tell(f"{what}. Create one with: dockless login HOST")
