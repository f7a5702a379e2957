"""A host over SSH, as `usecases.hosts.host_push` works on it."""

import contextlib
from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from dockless.client.host_context import HostContext
from dockless.client.remote_engine import RemoteEngineSetup
from dockless.client.session import Session
from dockless.client.workspace import Workspace
from dockless.config.naming import called_otherwise
from dockless.model.host import TransferMethod
from dockless.model.pins import pinned
from dockless.model.server import Server
from dockless.oci.digest import Digest
from dockless.ports import Steps
from dockless.sources.known_tools import container_tools
from dockless.sources.local import find_local
from dockless.sources.on_host import HostImage
from dockless.sources.spec import parse_there
from dockless.ssh.files import at_home, kind_of_path
from dockless.ssh.host_connection import HostConnection
from dockless.ssh.workdir import Workdir
from dockless.usecases.hosts.remote_push import EngineThere
from dockless.usecases.push.delivery import Delivery, deliver


class SshHost(HostConnection):
    """A host over SSH, as a `host_push.Host`.

    Args:
        context: What it is worked on with.
        server: The host.
        number: Its number among the hosts, for the folder of what is relayed.
        progress: Where the work on it is shown.
    """

    def __init__(self, context: HostContext, server: Server, number: int, progress: Steps) -> None:
        super().__init__(server, context.ssh, context.asked.options.stall_timeout)
        self.progress = progress
        self._context = context
        self._number = number

    def open(self) -> "SshImage":
        """Log in, make our folder, and find the image."""
        place = self.enter()
        return SshImage(self._context, place, self._find(place), self)

    def relaying(self) -> tuple[Session, Workspace]:
        """Return a session on this machine for the host's images, and where it works.

        Both end when the host is left.
        """
        context = self._context
        own = self.work.enter_context(context.space(f"host-{self._number}"))
        around = replace(own.surroundings, progress=self.progress)
        space = replace(own, progress=self.progress, surroundings=around)
        session = Session(context.asked.options, context.find, space, self.shell)
        return self.work.enter_context(session), own

    def _find(self, place: Workdir) -> HostImage:
        context, names, tool, typed = self._context, self._context.names, "", False
        if self.server.image_name:
            names = (self.server.image_name,)
        if context.asked.options.build:
            names, tool = context.build.build(
                place.shell, place.facts.home, self.server, self.progress.step
            )
        elif context.asked.hosts.there is not None:
            there = at_home(context.asked.hosts.there, place.facts.home)
            source = parse_there(there, partial(kind_of_path, place.shell))
            if source.kind != "local":
                return HostImage(source=source)
            names, tool, typed = (source.name,), source.tool, True
        tools = [each for each in container_tools(place.shell) if tool in ("", each.name)]
        has, image = find_local(names, tuple(tools), self._warn, typed=typed)
        self.progress.step(f"Source: {has.name} image {image.shown}")
        if context.asked.hosts.there is None and (
            otherwise := called_otherwise(image.name, context.asked.target)
        ):
            self.progress.step(otherwise)
        return HostImage(has, image)

    def _warn(self, text: str) -> None:
        self._context.warn(f"{self.name}: {text}")


class SshImage:
    """The image on a host, as a `host_push.ImageThere`.

    Args:
        context: What the host is worked on with.
        place: The host, with our folder.
        found: The image.
        host: The host, as it is worked on.
    """

    def __init__(
        self, context: HostContext, place: Workdir, found: HostImage, host: SshHost
    ) -> None:
        self._context = context
        self._shell = place.shell
        self._found = found
        self._host = host
        self._setup = RemoteEngineSetup(context, place, found)

    @property
    def image_id(self) -> Digest | None:
        """The digest that a container tool there knows it by.

        None for one in a file or folder, and where the name pins another digest, that of a
        manifest: then only what is pushed shows whether it agrees.
        """
        local = self._found.local
        return local.image_id if local and pinned(local.name) in (None, local.image_id) else None

    def obstacle(self, method: TransferMethod) -> str:
        """Return why a method cannot be used, as part of a sentence; empty when it can."""
        return self._setup.obstacle(method)

    @contextlib.contextmanager
    def engine(self, method: TransferMethod) -> Iterator[EngineThere]:
        """Yield an engine on the host with the image before it."""
        with self._setup.engine(method, self._host.progress) as engine:
            self._host.kept = self._setup.kept
            yield engine

    def relay(self) -> Delivery:
        """Push the image through this machine by digest; change no tag."""
        request = self._context.request
        session, own = self._host.relaying()
        session.expect(request)
        image = session.opener.there(self._found, self._shell, session.platform)
        delivery = deliver(request, image, session.adapters.context(request.repository))
        own.staging.settle()
        return delivery
