"""The options of `dockless push --remote`."""

from collections.abc import Callable
from typing import TypeVar

import click

from dockless.cli.param_types import completing

Command = TypeVar("Command", bound=Callable[..., object])


SERVERS = click.option(
    "--servers",
    metavar="N,N-M",
    help="Numbers of the servers that `dockless hosts` lists, such as 1,3-5.",
)
HOST = click.option(
    "--host",
    "hosts",
    metavar="[USER@]HOST[:PORT]",
    multiple=True,
    shell_complete=completing("hosts"),
    help="A host, without a server list; repeatable.",
)
ACCEPT = click.option(
    "--accept-new-host-keys",
    is_flag=True,
    help="Add the keys of unknown hosts to known_hosts; a changed key is still refused.",
)
ALLOW_SSH = click.option(
    "--allow-ssh-commands",
    is_flag=True,
    envvar="DOCKLESS_ALLOW_SSH_COMMANDS",
    help="Allow a project's deploy.yml to run commands for connections: its ssh.proxy_command, and "
    "those of the file that its ssh.config names.",
)
THERE = click.option(
    "--source", "there", metavar="SOURCE", help="The image, archive or layout on the host."
)
SUDO = click.option(
    "--sudo", is_flag=True, help="Run docker and other container tools there with `sudo -n`."
)
PARALLEL = click.option(
    "--parallel",
    type=click.IntRange(1, 256),
    help="Number of hosts at once.  [default: by the cores]",
)

_OPTIONS = (
    HOST,
    click.option(
        "--via",
        type=click.Choice(["auto", "invoke", "copy", "relay", "tunnel"]),
        default="auto",
        show_default=True,
        help="How hosts push: with their own engine, with a copied one, through this machine, or "
        "through a tunnel.",
    ),
    THERE,
    SUDO,
    PARALLEL,
    click.option(
        "--fail-fast",
        is_flag=True,
        help="After a failure, start no further host and change no tag.",
    ),
    click.option(
        "--max-failures",
        type=click.IntRange(0),
        metavar="N",
        help="The same, after more than N failures.",
    ),
    click.option(
        "--allow-different",
        is_flag=True,
        help="If hosts have different images, use the last one's.",
    ),
    ACCEPT,
    ALLOW_SSH,
    click.option("--keep-engine", is_flag=True, help="Keep the crane that was copied to the host."),
    click.option("--audit", is_flag=True, help="Report files left on each host (normally none)."),
)


def host_options(command: Command) -> Command:
    """Add the options for hosts to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
