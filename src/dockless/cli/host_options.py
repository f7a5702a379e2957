"""The options of `dockless push --remote`."""

from collections.abc import Callable
from typing import Literal, TypeVar

import click
from msgspec import Struct

from dockless.cli.options import PushOptions
from dockless.model.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., object])


class HostOptions(Struct, frozen=True):
    """What the command line asks of the hosts; the names are the options' own."""

    hosts: tuple[str, ...]
    via: Literal["auto", "invoke", "copy", "relay", "tunnel"]
    there: str | None
    parallel: int | None
    fail_fast: bool
    max_failures: int | None
    allow_different: bool
    accept_new_host_keys: bool
    keep_engine: bool
    audit: bool
    allow_ssh_commands: bool = False

    def check(self, options: PushOptions) -> None:
        """Raise UsageError when an option does not go with the others."""
        if not options.remote:
            given = {
                "--host": self.hosts,
                "--via": self.via != "auto",
                "--source": self.there is not None,
                "--parallel": self.parallel is not None,
                "--fail-fast": self.fail_fast,
                "--max-failures": self.max_failures is not None,
                "--allow-different": self.allow_different,
                "--accept-new-host-keys": self.accept_new_host_keys,
                "--keep-engine": self.keep_engine,
                "--audit": self.audit,
            }
            for option, is_given in given.items():
                if is_given:
                    raise UsageError(f"{option} needs --remote.", f"Add it, or leave {option} out.")
            return
        pairs = (
            (options.all_images, "--remote and --all"),
            (bool(self.hosts) and options.servers is not None, "--host and --servers"),
            (options.build and self.there is not None, "--build and --source"),
            (self.fail_fast and self.max_failures is not None, "--fail-fast and --max-failures"),
        )
        for wrong, what in pairs:
            if wrong:
                raise UsageError(f"{what} do not go together.", "Leave one of them out.")
        if options.source is not None:
            raise UsageError(
                "SOURCE is on this machine, and --remote pushes what the hosts have.",
                f"Say --source {options.source} for what is there.",
            )

    @property
    def most_failures(self) -> int | None:
        """How many hosts may fail before no other is begun; None for any number."""
        return 0 if self.fail_fast else self.max_failures


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
