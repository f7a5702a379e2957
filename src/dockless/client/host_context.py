"""What the hosts of one command line are reached and worked on with."""

from collections.abc import Callable

from msgspec import Struct

from dockless.client.connections import Find, OpenRegistry
from dockless.client.remote_build import BuildThere
from dockless.client.workspace import Spaces
from dockless.config.naming import Target
from dockless.engines.installed import InstalledEngines
from dockless.model.host_options import HostOptions
from dockless.model.options import CommandOptions
from dockless.ports import Progress
from dockless.ssh.connection import Ssh
from dockless.usecases.push.context import PushRequest


class HostContext(Struct, frozen=True, kw_only=True):
    """What the hosts of one command line are reached and worked on with.

    Attributes:
        options: The command line.
        hosts: The part of it that is about hosts.
        target: Where to.
        names: What the image may be called there, in order.
        request: The same, as a push takes it.
        registry: The registry.
        find: Finds the credential for it.
        ssh: How connections are made.
        space: Makes a workspace of this name.
        engines: Returns the engines of this machine.
        progress: Where the work is shown.
        warn: Shows a warning, also where the work is not shown.
        build: Builds the image there; returns its names, and the tool that has it.
    """

    options: CommandOptions
    hosts: HostOptions
    target: Target
    names: tuple[str, ...]
    request: PushRequest
    registry: OpenRegistry
    find: Find
    ssh: Ssh
    space: Spaces
    engines: Callable[[], InstalledEngines]
    progress: Progress
    warn: Callable[[str], None]
    build: BuildThere
