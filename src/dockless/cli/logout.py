"""`dockless logout`: removes everything about a registry from this machine."""

from functools import partial

import click

from dockless.cli import prompts
from dockless.cli.param_types import completing
from dockless.client import login as client_login
from dockless.errors import UsageError
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS


@click.command(epilog=EPILOGS["logout"])
@click.argument("host", required=False, shell_complete=completing("registries"))
@click.option("--username", metavar="NAME", help="Remove the login of this account only.")
@click.option("--all", "everything", is_flag=True, help="Remove every login.")
def logout(*, host: str | None, username: str | None, everything: bool) -> None:
    """Remove the logins for a registry.

    They are removed from every available keyring, or from the one that
    DOCKLESS_KEYRING names; so are cached tokens, dockless's entries in the files of docker and
    podman, and the registry in docker-config.json of this folder.
    """
    if everything and (host or username):
        raise UsageError(f"--all and {host or '--username'} do not go together.", "Remove one.")
    note = partial(say, err=True)
    client_login.logout(host, username or "", prompts, note, everything=everything)
