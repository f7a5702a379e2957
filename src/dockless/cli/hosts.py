"""`dockless hosts`: the numbered list of servers, and what each of them has."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial

import click

from dockless.cli import prompts
from dockless.cli.host_options import ACCEPT, ALLOW_SSH, HOST, PARALLEL, SERVERS, SUDO, THERE
from dockless.cli.options import FORMAT, TIMEOUT
from dockless.cli.param_types import POSITIVE_SECONDS
from dockless.config.cascade import Flags, resolve
from dockless.config.project import Project, deployed_project
from dockless.model.host_options import CheckOptions
from dockless.model.printable import json_text, one_line
from dockless.model.server import Server
from dockless.processes.terminal import say, tell
from dockless.report.help_texts import EPILOGS
from dockless.report.hosts import check_document, check_text, list_document
from dockless.report.progress import LineProgress
from dockless.storage.machine import this_machine


@click.command(epilog=EPILOGS["hosts"])
@click.option("--check", is_flag=True, help="Log in to each host and report what it has.")
@SERVERS
@HOST
@THERE
@SUDO
@click.option("--image", metavar="NAME", help="The image to look for, with the registry's host.")
@click.option("--registry", metavar="KIND", help="As for `dockless push`.")
@click.option("--namespace", metavar="NAME", help="As for `dockless push`.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="As for `dockless push`.")
@click.option("--insecure", is_flag=True, help="The registry uses plain HTTP.")
@PARALLEL
@TIMEOUT
@click.option(
    "--stall-timeout",
    type=POSITIVE_SECONDS,
    default=30.0,
    help="Give up on a host that does not answer after this time.  [default: 30s]",
)
@ACCEPT
@ALLOW_SSH
@FORMAT
@click.option("-d", "--destination", metavar="NAME", help="Kamal destination, as for push.")
def hosts(**arguments: object) -> None:
    """List the servers, and check what each one needs for a push."""
    options = CheckOptions(**arguments)  # type: ignore[arg-type] # click made them by these names
    files = deployed_project(os.environ, options.destination)
    for warning in files.deploy.warnings:
        tell(f"Warning: {warning}")
    servers = files.chosen_servers(options.hosts, options.servers)
    listed = servers if options.hosts else files.servers().value
    numbers = {server: number for number, server in enumerate(listed, 1)}
    if options.check:
        _check(options, files, servers, numbers)
    elif options.output == "json":
        say(json_text(list_document([(numbers[server], server) for server in servers])))
    else:
        say("\n".join(one_line(f"{numbers[server]:3}  {server}") for server in servers))


def _check(
    options: CheckOptions,
    files: Project,
    servers: Sequence[Server],
    numbers: Mapping[Server, int],
) -> None:
    """Check all servers in parallel, and print what was found; raise their common error."""
    from dockless.credentials.passphrases import SshAnswers  # noqa: PLC0415 - a list needs no connection
    from dockless.diagnosis.host_checks import WantedCheck, check_hosts  # noqa: PLC0415 - the same
    from dockless.engines.installed import InstalledEngines  # noqa: PLC0415 - the same
    from dockless.ssh.ssh_options import hosts_at_once, ssh_connections  # noqa: PLC0415 - the same
    from dockless.usecases.hosts.run import common_error  # noqa: PLC0415 - the same

    wanted = WantedCheck(
        settings=resolve(Flags.of(options), os.environ, files),
        image=options.there or "",
        insecure=options.insecure,
        stall=options.stall_timeout,
        sudo=options.sudo,
        installed=partial(InstalledEngines, this_machine()),
    )
    note = LineProgress(sys.stderr, time.monotonic).note
    answers = SshAnswers(prompts, os.environ)
    key_of = partial(files.secrets.key, allow_commands=False)
    ssh = ssh_connections(options, answers, os.environ, note, key_of)
    found = check_hosts(servers, wanted, ssh, hosts_at_once(options.parallel))
    if options.output == "json":
        say(json_text(check_document(found)))
    else:
        for each in found:
            say(check_text(numbers[each.server], each, alone=len(found) == 1))
    error = common_error([each.error or each.lacking for each in found], "can push")
    if error:
        raise error
