"""What a host has to push with, and what it lacks; an engine that is made ready there."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockless.client.host_context import HostContext
from dockless.credentials.authfile import authfile, docker_key
from dockless.engines import portable, probe, skopeo
from dockless.engines.choice import missing
from dockless.engines.on_host import CraneThere, RemoteEngineEnv, SkopeoThere
from dockless.errors import EngineError
from dockless.model.host import TransferMethod
from dockless.oci.reference import Repository
from dockless.ports import Progress
from dockless.sources.on_host import HostImage, export
from dockless.ssh import engine_files, files
from dockless.ssh.reach import reaches
from dockless.ssh.tunnel import registry_tunnel
from dockless.ssh.workdir import Workdir
from dockless.usecases.hosts.obstacles import Obstacles, RemoteWish
from dockless.usecases.hosts.remote_push import EngineThere


class RemoteEngineSetup:
    """What one host has to push with; answers the questions of `Obstacles`.

    Attributes:
        obstacle: Returns why a method cannot be used, as part of a sentence; empty when it can.
        kept: The engine that was left there on purpose; empty for none.
    """

    def __init__(self, context: HostContext, place: Workdir, found: HostImage) -> None:
        self.kept = ""
        self._context = context
        self._client = context.registry.client
        self._repository = context.request.repository
        self._place = place
        self._shell = place.shell
        self._facts = place.facts
        self._found = found
        self._endpoint = self._client.http.endpoint
        wish = RemoteWish(
            options=context.options,
            via=context.hosts.via,
            repository=self._repository,
            endpoint=self._endpoint,
            one_of_several=bool(found.source and found.source.selector),
        )
        self._obstacles = Obstacles(wish, place.facts, self)
        self.obstacle = self._obstacles.of

    @contextlib.contextmanager
    def engine(self, way: TransferMethod, progress: Progress) -> Iterator[EngineThere]:
        """Yield an engine on the host with the image before it."""
        with contextlib.ExitStack() as stack:
            extra: Mapping[str, str] = {}
            if way == "tunnel":
                extra = stack.enter_context(registry_tunnel(self._shell, self._endpoint))
            copies = way == "copy" or (way == "tunnel" and bool(self._obstacles.no_engine))
            name = "crane" if copies else self._obstacles.engine
            program = self._copy(progress) if copies else self._facts.programs[name]
            env = RemoteEngineEnv(
                run=self._shell.work,
                read=lambda path: files.read(self._shell, path),
                program=program,
                folder=self._facts.folder,
                endpoint=self._endpoint,
                authfile=lambda: self._authfile(name),
                certificates=engine_files.send_certificates(
                    self._place, self._endpoint.trust.ca_files
                ),
                environment=extra,
                policy=engine_files.signature_policy(self._place) if name == "skopeo" else None,
            )
            if name == "skopeo":
                path = f"{env.home}/{skopeo.LOGINS_PATH}"
                engine_files.send_settings(self._place, path, skopeo.LOGINS.encode())
            kind = CraneThere if name == "crane" else SkopeoThere
            yield kind(env, export(self._found, self._shell, self._facts.folder, progress))

    def exposed_by(self, engine: str, repository: Repository | None) -> str:
        """Return why an engine would expose the credential; empty where it would not."""
        return self._client.exposed_by(engine, repository)

    def has_registry_token(self) -> bool:
        """Whether the credential is a token that the registry takes as it is."""
        credential = self._client.grant(self._repository).credential
        return bool(credential and credential.registry_token)

    def unusable(self, engine: str) -> str:
        """Return why an engine that the host has cannot be used, as part of a sentence."""
        path = Path(self._facts.programs[engine])
        return probe.look(engine, path, self._shell).unusable.rstrip(".")

    def misfit(self) -> str:
        """Return why this machine's crane cannot run on the host, as part of a sentence."""
        facts = self._facts
        try:
            program = self._context.engines().selected("crane").path
        except EngineError as error:
            return error.what.rstrip(".")
        return portable.misfit(program, facts.system, facts.machine, facts.libc)

    def missing_here(self) -> str:
        """Return why the engine of --engine cannot be used on this machine; empty when it can."""
        return missing(self._context.options, self._context.engines())

    def reaches(self) -> bool | None:
        """Whether the host reaches the registry; None where it cannot find out."""
        return reaches(self._shell, self._endpoint)

    def _copy(self, progress: Progress) -> str:
        keep = self._context.hosts.keep_engine
        program = self._context.engines().selected("crane").path
        path = engine_files.send_engine(self._place, program, progress, keep=keep)
        self.kept = path if keep else ""
        return path

    def _authfile(self, engine: str) -> bytes | None:
        client, host = self._client, self._endpoint.host
        credential = client.grant(self._repository).credential
        if credential is None:
            return None
        key = docker_key(host) if engine == "crane" else host
        return authfile(key, credential).reveal().encode()
