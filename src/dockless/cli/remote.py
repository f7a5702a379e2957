"""`dockless push --remote`: every host pushes its own image."""

from dockless.cli import output, prompts
from dockless.cli.surroundings import command_spaces, credential_finder
from dockless.client.host_context import RemotePush
from dockless.client.hosts import push_from_hosts
from dockless.config.cascade import Settings
from dockless.config.project import Project
from dockless.errors import DocklessError
from dockless.model.ended import HOSTS
from dockless.model.host_options import HostOptions
from dockless.model.options import CommandOptions
from dockless.sources.source_names import target_name
from dockless.sources.spec_there import is_bare
from dockless.usecases.hosts.run import common_error


def push_remote(
    options: CommandOptions, hosts: HostOptions, settings: Settings, files: Project
) -> DocklessError | None:
    """Push from every chosen server, and print what became of each.

    Returns:
        The error that sums up those of the hosts; None when all went well.

    Raises:
        DocklessError: No host was tried.
    """
    servers = files.chosen_servers(hosts.hosts, options.servers)
    named = target_name(hosts.there) if hosts.there and is_bare(hosts.there) else None
    settings, target = prompts.target(settings, named)
    find = credential_finder(options, settings).find
    asked = RemotePush(
        options=options,
        hosts=hosts,
        settings=settings,
        target=target,
        files=files,
        servers=servers,
    )
    with command_spaces(options, many=HOSTS if len(servers) > 1 else None) as spaces:
        for reference in target.references:
            output.remark(options, f"Target: {reference}")
        outcome = push_from_hosts(asked, find, prompts, spaces)
    output.hosts(options, target, outcome, audit=hosts.audit)
    return common_error([result.error for result in outcome.results], "pushed")
