"""`dockless push --remote`: every host pushes its own image."""

import contextlib
import os
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial

from dockless.cli import output, prompts
from dockless.cli.workplace import command_spaces
from dockless.client import accounts, prompter
from dockless.client.host_job import HostJob, Turns
from dockless.client.host_options import HostOptions
from dockless.client.host_push import HostPush
from dockless.client.options import CommandOptions
from dockless.client.remote_build import BuildThere
from dockless.client.session import Session
from dockless.concurrency import cores
from dockless.config.cascade import Settings
from dockless.config.naming import Target, local_candidates
from dockless.config.project import Project
from dockless.config.server_list import select
from dockless.credentials import passphrases
from dockless.errors import DocklessError, PartialError, PushError
from dockless.model.server import Server
from dockless.sources.spec import bare_name, is_bare
from dockless.ssh.config import find_route, parse_host
from dockless.ssh.connection import Ssh
from dockless.ssh.keys import KeyRing
from dockless.usecases.hosts.run import Rules, push_from

_FILES_A_HOST = 16
_HOSTS_A_CORE = 8


def chosen(hosts: Sequence[str], numbers: str | None, files: Project) -> tuple[Server, ...]:
    """Return the servers to work on: those of --host, else the project's, all or by number."""
    if hosts:
        return tuple(dict.fromkeys(parse_host(host) for host in hosts))
    listed = files.servers().value
    return select(listed, numbers) if numbers is not None else listed


def ssh(note: Callable[[str], None], *, accept_new: bool, may_run: bool) -> Ssh:
    """Return how connections are made.

    Args:
        note: Called with every key that was added.
        accept_new: Whether the keys of unknown hosts are accepted.
        may_run: Whether a project's ssh_config may run programs.
    """
    routes = partial(find_route, environment=os.environ, may_run=may_run)
    return Ssh(routes, KeyRing(partial(passphrases.ask, prompts, os.environ)), accept_new, note)


def push_remote(
    options: CommandOptions, hosts: HostOptions, settings: Settings, files: Project
) -> DocklessError | None:
    """Push from every chosen server, and print what became of each.

    Returns:
        The error that sums up those of the hosts; None when all went well.

    Raises:
        DocklessError: No host was tried.
    """
    servers = chosen(hosts.hosts, options.servers, files)
    named = bare_name(hosts.there) if hosts.there and is_bare(hosts.there) else None
    settings, target = prompts.target(settings, named)
    finder = partial(accounts.find, prompts, settings, prompter.given(prompts, options, settings))
    with contextlib.ExitStack() as stack:
        space = stack.enter_context(command_spaces(options))
        own = stack.enter_context(space(""))
        work = stack.enter_context(Session(options, finder, own))
        for reference in target.references:
            output.remark(options, f"Target: {reference}")
        registry = work.registry(target.repository.value)
        job = HostJob(
            options,
            hosts,
            target,
            local_candidates(settings, target),
            work.request(target),
            registry,
            accounts.as_found(registry.client.account),
            ssh(
                own.progress.note,
                accept_new=hosts.accept_new_host_keys,
                may_run=hosts.allow_ssh_commands,
            ),
            space,
            own.engines,
            own.progress,
            _building(settings, target, files),
            own.until,
            own.shared_backoff,
            Turns(),
        )
        numbers = {server: number for number, server in enumerate(servers)}
        rules = Rules(at_once(hosts.parallel), hosts.most_failures, hosts.allow_different)
        outcome = push_from(
            servers,
            lambda server: HostPush(job, numbers[server], server),
            work.move_tags_of,
            rules,
            time.monotonic,
        )
    output.hosts(options, target.repository.value, outcome, audit=hosts.audit)
    return common([result.error for result in outcome.results], "pushed")


def common(errors: Sequence[DocklessError | None], what: str) -> DocklessError | None:
    """Return one error for those of all hosts; None when all succeeded.

    Args:
        errors: For each host, its error, which has been printed; None for none.
        what: A participle such as `pushed`, for the message.
    """
    failed = [error for error in errors if error]
    if not failed:
        return None
    if len(failed) < len(errors):
        return PartialError(
            f"{len(failed)} of {len(errors)} hosts failed.", "See their errors above."
        )
    if len(errors) == 1:
        return failed[0]
    same = len({error.exit_code for error in failed}) == 1
    none = f"None of the {len(errors)} hosts {what}."
    return failed[0].with_context(none, "") if same else PushError(none)


def at_once(asked: int | None) -> int:
    """Return the number of hosts at once, from the cores and the limit of open files."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = asked or _HOSTS_A_CORE * cores()
    return max(1, min(wanted, most // _FILES_A_HOST))


def _building(settings: Settings, target: Target, files: Project) -> BuildThere:
    project = settings.project().value
    composed = tuple(name.value for name in settings.compose_images())
    return BuildThere(project, f"{project}:{target.tags[0].value}", composed, files.deploy.builder)
