"""Pushes from hosts over SSH, and what these hosts have, with the settings of this user."""

import contextlib
import os
import time
from functools import partial

from dockless.client.host_context import HostContext, RemotePush
from dockless.client.session import Session
from dockless.client.ssh_host import SshHost
from dockless.client.workspace import Spaces
from dockless.config.local_names import local_candidates
from dockless.config.recipe import host_recipe_of
from dockless.credentials.passphrases import SshAnswers
from dockless.credentials.prompting import Prompter
from dockless.credentials.resolve import FindCredential, shared_account
from dockless.model.server import Server
from dockless.sources.host_search import HostWish
from dockless.ssh.ssh_options import hosts_at_once, ssh_connections
from dockless.usecases.hosts.host_push import HostJob, HostPush
from dockless.usecases.hosts.host_rows import HostRows
from dockless.usecases.hosts.run import RemotePushResult, Rules, push_from
from dockless.usecases.hosts.turns import Turns


def push_from_hosts(
    asked: RemotePush, find: FindCredential, prompter: Prompter, spaces: Spaces
) -> RemotePushResult:
    """Have every host push its image, and update the tags when all have delivered.

    Args:
        asked: What is asked for.
        find: Finds the credential for the registry.
        prompter: Asks for passphrases of SSH keys, and passwords of hosts.
        spaces: Makes workspaces on this machine.

    Raises:
        DocklessError: No host was tried.
    """
    options, hosts, target = asked.options, asked.hosts, asked.target
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(spaces(""))
        work = stack.enter_context(Session(options, find, own))
        registry = work.adapters.open(target.repository.value)
        request = work.request(target.repository.value, target.tag_names)
        context = HostContext(
            asked=asked,
            wish=_wish(asked),
            request=request,
            registry=registry,
            find=shared_account(registry.client.account),
            ssh=ssh_connections(
                hosts,
                SshAnswers(prompter, os.environ),
                os.environ,
                own.progress.note,
                partial(asked.files.secrets.key, allow_commands=options.allow_secret_commands),
            ),
            own=own,
            space=spaces,
        )
        job = _job(context)
        rows = HostRows(asked.servers, own.overview)
        numbers = {server: number for number, server in enumerate(asked.servers)}

        def enter(server: Server) -> HostPush:
            return HostPush(job, SshHost(context, server, numbers[server], rows.begin(server)))

        return push_from(
            asked.servers,
            enter,
            work.move_tags_of,
            Rules(hosts_at_once(hosts.parallel), hosts.most_failures, hosts.allow_different),
            time.monotonic,
            tell=rows.end,
        )


def _job(context: HostContext) -> HostJob:
    return HostJob(
        request=context.request,
        registry=context.registry.client,
        via=context.asked.hosts.via,
        attempts=context.asked.options.retries + 1,
        until=context.own.limits.until,
        shared_backoff=context.own.limits.shared_backoff,
        turns=Turns(),
    )


def _wish(asked: RemotePush) -> HostWish:
    settings, target = asked.settings, asked.target
    build = host_recipe_of(settings, target, asked.files)  # a file of it that is wrong is an error
    return HostWish(
        names=local_candidates(settings, target),
        there=asked.hosts.there,
        build=build if asked.options.build else None,
        sudo=asked.hosts.sudo,
    )
