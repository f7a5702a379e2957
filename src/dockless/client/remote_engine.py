"""What a host has to push with, and what it lacks; an engine that is made ready there."""

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from dockless.credentials.authfile import authfile, docker_key
from dockless.engines import portable, probe, skopeo
from dockless.engines.choice import missing
from dockless.engines.installed import InstalledEngines
from dockless.engines.on_host import CraneThere, RemoteEngineEnv, SkopeoThere
from dockless.errors import EngineError
from dockless.model.endpoint import is_loopback
from dockless.model.host import TransferMethod
from dockless.model.host_options import HostOptions
from dockless.model.options import PushOptions
from dockless.oci.reference import Repository
from dockless.ports import Progress
from dockless.registry.client import RegistryClient
from dockless.sources.on_host import HostImage, export
from dockless.ssh import engine_files, files
from dockless.ssh.reach import reaches
from dockless.ssh.tunnel import registry_tunnel
from dockless.ssh.workdir import Workdir
from dockless.usecases.hosts.remote_push import EngineThere


class EngineTask(Struct, frozen=True, kw_only=True):
    """The task of an engine on a host.

    Attributes:
        options: The command line.
        hosts: The part of it that is about hosts.
        client: The registry.
        repository: Where to.
        installed: The engines of this machine.
    """

    options: PushOptions
    hosts: HostOptions
    client: RegistryClient
    repository: Repository
    installed: InstalledEngines


class RemoteEngineSetup:
    """What one host has to push with.

    Attributes:
        kept: The engine that was left there on purpose; empty for none.
    """

    def __init__(self, task: EngineTask, place: Workdir, found: HostImage) -> None:
        self.kept = ""
        self._task = task
        self._place = place
        self._shell = place.shell
        self._facts = place.facts
        self._found = found
        self._endpoint = task.client.http.endpoint

    def obstacle(self, way: TransferMethod) -> str:
        """Return why this method cannot be used, as part of a sentence; empty when it can."""
        match way:
            case "relay":
                return missing(self._task.options, self._task.installed)
            case "invoke":
                return self._unfit or self._no_engine or self._no_route
            case "copy":
                return self._unfit or self._no_copy or self._no_route
            case "tunnel":
                return self._unfit or (self._no_engine and self._no_copy)

    @contextlib.contextmanager
    def engine(self, way: TransferMethod, progress: Progress) -> Iterator[EngineThere]:
        """Yield an engine on the host with the image before it."""
        with contextlib.ExitStack() as stack:
            extra: Mapping[str, str] = {}
            if way == "tunnel":
                extra = stack.enter_context(registry_tunnel(self._shell, self._endpoint))
            copies = way == "copy" or (way == "tunnel" and bool(self._no_engine))
            name = "crane" if copies else self._engine_name
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

    @cached_property
    def _unfit(self) -> str:
        options, source = self._task.options, self._found.source
        if self._endpoint.trust.client_cert:
            return "the client certificate is only on this machine"
        if options.platform:
            return "--platform is only for images that are relayed through this machine"
        if options.compression != "gzip":
            return f"--compression {options.compression} is only done on this machine"
        if source and source.selector:
            return "an image of several is selected on this machine"
        if options.engine == "direct":
            return "--engine direct writes from this machine"
        written = self._task.repository if options.engine == "auto" else None
        return self._task.client.exposed_by(self._engine_name or "crane", written)

    @cached_property
    def _engine_name(self) -> str:
        wanted = self._task.options.engine
        names = ("crane", "skopeo") if wanted == "auto" else (wanted,)
        return next((name for name in names if name in self._facts.programs), "")

    @cached_property
    def _no_engine(self) -> str:
        name = self._engine_name
        if not name:
            wanted = self._task.options.engine
            return f"it has {'neither crane nor skopeo' if wanted == 'auto' else f'no {wanted}'}"
        if name == "crane":
            return ""
        grant = self._task.client.grant(self._task.repository)
        if grant.credential and grant.credential.registry_token:
            return "skopeo accepts a registry token only as an argument, which others could read"
        path = Path(self._facts.programs[name])
        return probe.look(name, path, self._shell).unusable.rstrip(".")

    @cached_property
    def _no_copy(self) -> str:
        facts = self._facts
        if self._task.options.engine == "skopeo":
            return "only crane can be copied"
        if not facts.runs:
            return "the host has no folder from which programs may run"
        try:
            program = self._task.installed.selected("crane").path
        except EngineError as error:
            return error.what.rstrip(".")
        return portable.misfit(program, facts.system, facts.machine, facts.libc)

    @cached_property
    def _no_route(self) -> str:
        host = self._endpoint.host
        if is_loopback(host):
            return f"{host} is a loopback address of this machine"
        if self._task.hosts.via != "auto":
            return ""  # who asks for a way knows it, and the engine's own words say more
        reached = reaches(self._shell, self._endpoint)
        return f"it does not reach {host}" if reached is False else ""

    def _copy(self, progress: Progress) -> str:
        keep = self._task.hosts.keep_engine
        program = self._task.installed.selected("crane").path
        path = engine_files.send_engine(self._place, program, progress, keep=keep)
        self.kept = path if keep else ""
        return path

    def _authfile(self, engine: str) -> bytes | None:
        client, host = self._task.client, self._endpoint.host
        credential = client.grant(self._task.repository).credential
        if credential is None:
            return None
        key = docker_key(host) if engine == "crane" else host
        return authfile(key, credential).reveal().encode()
