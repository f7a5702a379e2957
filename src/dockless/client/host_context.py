"""What the hosts of one command line are reached and worked on with."""

from collections.abc import Sequence

from msgspec import Struct

from dockless.client.connections import OpenRegistry
from dockless.client.workspace import Spaces, Workspace
from dockless.config.cascade import Settings
from dockless.config.naming import Target
from dockless.config.project import Project
from dockless.credentials.resolve import FindCredential
from dockless.model.host_options import HostOptions
from dockless.model.options import CommandOptions
from dockless.model.server import Server
from dockless.sources.host_search import HostWish
from dockless.ssh.connection import Ssh
from dockless.usecases.push.context import PushRequest


class RemotePush(Struct, frozen=True, kw_only=True):
    """A push from hosts.

    Attributes:
        options: The command line.
        hosts: The part of it that is about hosts.
        settings: The settings.
        target: Where to.
        files: The project.
        servers: The hosts.
    """

    options: CommandOptions
    hosts: HostOptions
    settings: Settings
    target: Target
    files: Project
    servers: Sequence[Server]


class HostContext(Struct, frozen=True, kw_only=True):
    """What the hosts of one command line are reached and worked on with.

    Attributes:
        asked: What is asked for.
        wish: Which image of them is meant.
        request: The same, as a push takes it.
        registry: The registry.
        find: Finds the credential for it.
        ssh: How connections are made.
        own: Where this machine works for all of them.
        space: Makes a workspace of this name, for one host.
    """

    asked: RemotePush
    wish: HostWish
    request: PushRequest
    registry: OpenRegistry
    find: FindCredential
    ssh: Ssh
    own: Workspace
    space: Spaces
