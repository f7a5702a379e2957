"""`dockless login`: checks a login, and stores it in the keyring."""

import time
from functools import partial
from pathlib import Path

import click

from dockless.cli import prompts
from dockless.cli.options import INSECURE_REALM
from dockless.cli.param_types import Seconds
from dockless.client import login as client_login
from dockless.model import kinds
from dockless.model.login_options import LoginOptions
from dockless.processes import stops
from dockless.processes.terminal import say

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
HOST is a registry, such as ghcr.io or registry.example.com:5000, or a namespace
in one, such as ghcr.io/acme. Without it: the registry of config/deploy.yml or
docker-config.json, else Docker Hub.

\b
Examples:
  dockless login
  dockless login ghcr.io --username me
  pass show registry | dockless login registry.example.com --username me --password-stdin
  dockless login 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  dockless login europe-docker.pkg.dev --key-file ~/keys/pusher.json
  dockless login registry.example.com --keyring kernel --ttl 8h
  dockless login ghcr.io --configure-docker

\b
Keyrings: secret-service, macos, kernel, kernel-user, file (encrypted; needs
dockless[file]), or MODULE.CLASS of the keyring library. Without --keyring and
DOCKLESS_KEYRING the first available one, never the file.
"""
)
@click.argument("host", required=False)
@click.option(
    "--registry",
    metavar="KIND",
    help=f"{', '.join(kind.name for kind in kinds.KINDS)}; otherwise inferred from HOST.",
)
@click.option(
    "--username", metavar="NAME", help="Account at the registry; prompted for at a terminal."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--key-file", type=_PATH, help="Service-account key of Google Cloud (JSON).")
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
    help="Keyring to store the login in; see below.",
    show_default=False,
)
@click.option(
    "--ttl",
    type=Seconds(),
    help="Expire the login in the kernel keyring after this time, such as 8h.",
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
@click.option("--insecure", is_flag=True, help="Use plain HTTP (automatic for loopback addresses).")
@click.option("--ca-file", type=_PATH, help="Also trust this certificate authority (PEM).")
@click.option(
    "--cert-dir",
    type=_PATH,
    help="Folder with CA certificates (*.crt) and client certificates (*.cert with *.key).",
)
@click.option(
    "--timeout", type=Seconds(), help="Time limit for the whole command, such as 90s or 5m."
)
@INSECURE_REALM
def login(**arguments: object) -> None:
    """Check a login at a registry, and store it in the OS keyring.

    The password goes to the keyring and nowhere else. In the folder of a project, or with
    --remember, docker-config.json gets the rest, so that a push from here needs no more options.
    """
    options = LoginOptions(**arguments)  # type: ignore[arg-type] # click made them by these names
    options.check()
    until = None if options.timeout is None else time.monotonic() + options.timeout
    stops.end_by(until)
    client_login.login(options, prompts, partial(say, err=True), until)
