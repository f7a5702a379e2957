"""What a host has to push with, and what it lacks; an engine that is made ready there."""

import contextlib
from collections.abc import Iterator, Mapping

from dockless.client.host_context import HostContext
from dockless.credentials.authfile import authfile, docker_key
from dockless.engines.host_engines import HostEngines, RegistryThere, engine_there
from dockless.model.host import TransferMethod
from dockless.oci.reference import Repository
from dockless.ports import Steps
from dockless.sources.on_host import HostImage, export
from dockless.ssh.engine_files import EngineFiles
from dockless.ssh.reach import reaches
from dockless.ssh.tunnel import registry_tunnel
from dockless.ssh.workdir import Workdir
from dockless.usecases.hosts.obstacles import Obstacles, RemoteWish
from dockless.usecases.hosts.remote_push import EngineThere


class RemoteEngineSetup(HostEngines):
    """What one host has to push with; answers the questions of `Obstacles`.

    Attributes:
        obstacle: Returns why a method cannot be used, as part of a sentence; empty when it can.
    """

    def __init__(self, context: HostContext, place: Workdir, found: HostImage) -> None:
        super().__init__(context.asked.options, context.engines, EngineFiles(place))
        self._context = context
        self._client = context.registry.client
        self._repository = context.request.repository
        self._place = place
        self._found = found
        self._endpoint = self._client.http.endpoint
        wish = RemoteWish(
            options=context.asked.options,
            via=context.asked.hosts.via,
            repository=self._repository,
            endpoint=self._endpoint,
            one_of_several=bool(found.source and found.source.selector),
        )
        self._obstacles = Obstacles(wish, place.facts, self)
        self.obstacle = self._obstacles.of

    @contextlib.contextmanager
    def engine(self, way: TransferMethod, progress: Steps) -> Iterator[EngineThere]:
        """Yield an engine on the host with the image before it."""
        shell, facts = self._place.shell, self._place.facts
        with contextlib.ExitStack() as stack:
            extra: Mapping[str, str] = {}
            if way == "tunnel":
                extra = stack.enter_context(registry_tunnel(shell, self._endpoint))
            copies = way == "copy" or (way == "tunnel" and bool(self._obstacles.no_engine))
            name = "crane" if copies else self._obstacles.engine
            keep = self._context.asked.hosts.keep_engine
            program = self.copied(progress, keep=keep) if copies else facts.programs[name]
            registry = RegistryThere(
                endpoint=self._endpoint, authfile=self._authfile, environment=extra
            )
            env = self.prepared(name, program, registry)
            yield engine_there(name, env, export(self._found, shell, facts.folder, progress))

    def exposed_by(self, engine: str, repository: Repository | None) -> str:
        """Return why an engine would expose the credential; empty where it would not."""
        return self._client.exposed_by(engine, repository)

    def has_registry_token(self) -> bool:
        """Whether the credential is a token that the registry takes as it is."""
        credential = self._client.grant(self._repository).credential
        return bool(credential and credential.registry_token)

    def reaches(self) -> bool | None:
        """Whether the host reaches the registry; None where it cannot find out."""
        return reaches(self._place.shell, self._endpoint)

    def _authfile(self, engine: str) -> bytes | None:
        client, host = self._client, self._endpoint.host
        credential = client.grant(self._repository).credential
        if credential is None:
            return None
        key = docker_key(host) if engine == "crane" else host
        return authfile(key, credential).reveal().encode()
