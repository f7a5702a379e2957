"""`dockless login`: checks a login, and stores it in the keyring."""

from functools import partial

import click

from dockless.cli import prompts
from dockless.cli.options import PATH, TIMEOUT, TRUST
from dockless.cli.param_types import SECONDS, completing
from dockless.client import login as client_login
from dockless.model import kinds
from dockless.model.login_options import LoginOptions
from dockless.processes import stops
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS


@click.command(epilog=EPILOGS["login"])
@click.argument("host", required=False, shell_complete=completing("registries"))
@click.option(
    "--registry",
    metavar="KIND",
    shell_complete=completing("kinds"),
    help=f"{', '.join(kind.name for kind in kinds.KINDS)}; otherwise inferred from HOST.",
)
@click.option(
    "--username", metavar="NAME", help="Account at the registry; prompted for at a terminal."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--key-file", type=PATH, help="Service-account key of Google Cloud (JSON).")
@click.option("--namespace", metavar="NAME", help="Namespace to remember for pushes from here.")
@click.option("--image", metavar="NAME", help="Image name to remember for pushes from here.")
@click.option(
    "--remember",
    is_flag=True,
    help="Write docker-config.json even where there is no project; --image and --namespace imply "
    "it.",
)
@click.option(
    "--keyring",
    default="",
    metavar="NAME",
    shell_complete=completing("keyrings"),
    help="Keyring to store the login in; see below.",
    show_default=False,
)
@click.option(
    "--ttl",
    type=SECONDS,
    help="Expire the login in the kernel keyring after this time: 8h, 30m, or seconds as a number.",
)
@click.option(
    "--configure-docker",
    is_flag=True,
    help="Let docker use this login, through a credential helper.",
)
@click.option(
    "--configure-containers",
    is_flag=True,
    help="Let podman, skopeo and buildah use this login, through a credential helper.",
)
def login(**arguments: object) -> None:
    """Check a login at a registry, and store it in the OS keyring.

    The password goes to the keyring and nowhere else. In the folder of a project, or with
    --remember, docker-config.json gets the rest, so that a push from here needs no more options.
    """
    options = LoginOptions(**arguments)  # type: ignore[arg-type] # click made them by these names
    options.check()
    client_login.login(options, prompts, partial(say, err=True), stops.until())


for _option in (*TRUST, TIMEOUT):
    _option(login)
