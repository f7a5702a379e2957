"""The options of `dockless push --remote`."""

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


SERVERS = click.option(
    "--servers", metavar="N,N-M", help="Which servers, by number; with --remote."
)
HOST = click.option(
    "--host",
    "hosts",
    metavar="[USER@]HOST[:PORT]",
    multiple=True,
    help="A host, with no file needed; may be given again.",
)
ACCEPT = click.option(
    "--accept-new-host-keys",
    is_flag=True,
    help="Add the keys of unknown hosts to known_hosts; never a changed one.",
)
ALLOW_SSH = click.option(
    "--allow-ssh-commands",
    is_flag=True,
    envvar="DOCKLESS_ALLOW_SSH_COMMANDS",
    help="Run what the ssh.config of a project's deploy.yml says: ProxyCommand, Match exec.",
)
THERE = click.option(
    "--source", "there", metavar="SOURCE", help="The image, archive or layout on the host."
)
PARALLEL = click.option(
    "--parallel", type=click.IntRange(1, 256), help="Hosts at once.  [default: by the cores]"
)

_OPTIONS = (
    HOST,
    click.option(
        "--via",
        type=click.Choice(["auto", "invoke", "copy", "relay", "tunnel"]),
        default="auto",
        show_default=True,
        help="How hosts push: with their engine, with ours, through here, or by a tunnel.",
    ),
    THERE,
    PARALLEL,
    click.option("--fail-fast", is_flag=True, help="After a failure begin no host, move no tag."),
    click.option(
        "--max-failures",
        type=click.IntRange(0),
        metavar="N",
        help="The same after more than N failures.",
    ),
    click.option(
        "--allow-different", is_flag=True, help="If hosts differ, let the last one's image win."
    ),
    ACCEPT,
    ALLOW_SSH,
    click.option("--keep-engine", is_flag=True, help="Leave the crane that was copied there."),
    click.option("--audit", is_flag=True, help="Say what was left on each host: nothing."),
)


def host_options(command: Command) -> Command:
    """Add the options for hosts to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
