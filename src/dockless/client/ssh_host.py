"""A host over SSH, as `usecases.hosts.host_push` works on it."""

import contextlib
from collections.abc import Iterator

from msgspec.structs import replace

from dockless.client.host_context import HostContext
from dockless.client.session import Session
from dockless.client.workspace import Workspace
from dockless.config.local_names import called_otherwise
from dockless.engines.host_engines import EngineTarget, HostEngines, engine_there
from dockless.model.builder import BuildPlan
from dockless.model.host import RegistryThere, TransferMethod
from dockless.model.server import Server
from dockless.ports import Steps
from dockless.sources.host_build import plan_there
from dockless.sources.host_search import find_on_host
from dockless.sources.on_host import HostImage, export
from dockless.ssh.engine_files import EngineFiles
from dockless.ssh.host_connection import HostConnection
from dockless.ssh.tunnel import registry_tunnel
from dockless.ssh.workdir import Workdir
from dockless.usecases.hosts.obstacles import Obstacles, RemoteWish
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
        context, place = self._context, self.enter()
        if context.wish.build and context.request.dry_run:
            home = place.facts.home
            shell = context.wish.tool_shell(place.shell)
            build = plan_there(context.wish.build, shell, home, self.server)
            return SshImage(context, place, HostImage(), self, build)
        found = find_on_host(context.wish, self.server, place, self.progress.step, self._warn)
        if found.local and context.wish.there is None:
            otherwise = called_otherwise(found.local.name, context.asked.target)
            if otherwise:
                self.progress.step(otherwise)
        return SshImage(context, place, found, self)

    def relaying(self) -> tuple[Session, Workspace]:
        """Return a session on this machine for the host's images, and where it works.

        Both end when the host is left.
        """
        context = self._context
        own = self.work.enter_context(context.space(f"host-{self._number}"))
        around = replace(own.surroundings, progress=self.progress)
        space = replace(own, surroundings=around)
        session = Session(context.asked.options, context.find, space, self.shell)
        return self.work.enter_context(session), own

    def _warn(self, text: str) -> None:
        self._context.own.surroundings.warning(f"{self.name}: {text}")


class SshImage:
    """The image on a host, and the engines that can push it, as a `host_push.ImageThere`.

    Args:
        context: What the host is worked on with.
        place: The host, with our folder.
        found: The image.
        host: The host, as it is worked on.
        build: How it would be built, in a dry run; None where it is there.

    Attributes:
        build: The same.
        image_id: The digest that a container tool there knows it by; see `HostImage.image_id`.
        obstacle: Returns why a method cannot be used, as part of a sentence; empty when it can.
    """

    def __init__(
        self,
        context: HostContext,
        place: Workdir,
        found: HostImage,
        host: SshHost,
        build: BuildPlan | None = None,
    ) -> None:
        self.build = build
        self.image_id = found.image_id
        options, registry = context.asked.options, context.registry.client
        repository = context.request.repository
        self._context = context
        self._place = place
        self._found = found
        self._host = host
        self._endpoint = registry.endpoint
        self._engines = HostEngines(
            options, context.own.engines, EngineFiles(place), EngineTarget(registry, repository)
        )
        wish = RemoteWish(
            options=options,
            via=context.asked.hosts.via,
            repository=repository,
            endpoint=self._endpoint,
            one_of_several=bool(found.source and found.source.selector),
            size=found.local.size if found.local else None,
        )
        self._obstacles = Obstacles(wish, place.facts, self._engines)
        self.obstacle = self._obstacles.of

    @contextlib.contextmanager
    def engine(self, method: TransferMethod) -> Iterator[EngineThere]:
        """Yield an engine on the host with the image before it."""
        shell, facts, host = self._place.shell, self._place.facts, self._host
        with contextlib.ExitStack() as stack:
            reached = RegistryThere()
            name, is_copied = self._obstacles.engine_for(method)
            if method == "tunnel":
                reached = stack.enter_context(registry_tunnel(shell, self._endpoint, name))
            keep = self._context.asked.hosts.keep_engine
            program = (
                self._engines.copied(host.progress, keep=keep)
                if is_copied
                else facts.programs[name]
            )
            env = self._engines.prepared(name, program, reached)
            image = export(self._found, shell, facts.folder, host.progress)
            host.kept = self._engines.kept
            yield engine_there(name, env, image)

    def relay(self) -> Delivery:
        """Push the image through this machine by digest; change no tag."""
        request = self._context.request
        session, own = self._host.relaying()
        session.expect(request)
        image = session.opener.there(self._found, self._place.shell, session.platform)
        delivery = deliver(request, image, session.adapters.context(request.repository))
        own.staging.settle()
        return delivery
