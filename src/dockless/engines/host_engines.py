"""The engines that one host can push with: its own, or a copy of this machine's crane."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from dockless.engines import portable, probe, skopeo
from dockless.engines.engine_registry import EngineRegistry, sent_authfile
from dockless.engines.installed import InstalledEngines
from dockless.engines.on_host import CraneThere, RemoteEngineEnv, SkopeoThere
from dockless.errors import EngineError
from dockless.model.endpoint import Endpoint
from dockless.model.host import Exported, Facts, RegistryThere
from dockless.model.options import PROGRAMS, PushOptions
from dockless.oci.reference import Repository
from dockless.ports import Progress
from dockless.processes.programs import Programs
from dockless.processes.run import Finished


class EngineHost(Protocol):
    """A host and our folder there. Its methods raise HostLostError when the connection breaks."""

    @property
    def facts(self) -> Facts:
        """What the host reports."""

    @property
    def programs(self) -> Programs:
        """Its programs and files."""

    def run(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str]) -> Finished:
        """Run a program that may take long; it gets these variables in addition to the host's."""

    def read(self, path: str) -> bytes:
        """Return a file of the host."""

    def send_engine(self, program: Path, progress: Progress, *, keep: bool) -> str:
        """Copy a program of this machine there, into a folder that stays or not; return its path.

        Raises:
            EngineError: It cannot be written there, or did not arrive intact.
        """

    def send_certificates(self, authorities: Sequence[Path]) -> str:
        """Copy certificates into our folder; return their folder there, empty for none."""

    def send_settings(self, path: str, content: bytes) -> None:
        """Write a file for our account alone, in a folder that is made for it."""

    def signature_policy(self) -> Path | None:
        """Return the signature policy that skopeo obeys there; None where it has none."""

    def reaches(self, endpoint: Endpoint) -> bool | None:
        """Whether the host gets a response of a registry; None when no program there can tell."""


class EngineTarget(Struct, frozen=True):
    """Where engines of hosts push to.

    Attributes:
        registry: The registry.
        repository: The repository in it.
    """

    registry: EngineRegistry
    repository: Repository


class HostEngines:
    """The engines for one host; answers what decides which of them can be used.

    Args:
        options: Which engine is asked for.
        installed: Returns the engines of this machine.
        host: The host.
        target: Where they push to.

    Attributes:
        kept: The engine that was left there on purpose; empty for none.
    """

    def __init__(
        self,
        options: PushOptions,
        installed: Callable[[], InstalledEngines],
        host: EngineHost,
        target: EngineTarget,
    ) -> None:
        self.kept = ""
        self._options = options
        self._installed = installed
        self._host = host
        self._registry = target.registry
        self._repository = target.repository

    def exposed_by(self, engine: str, repository: Repository | None) -> str:
        """Return why an engine would expose the credential; empty where it would not."""
        return self._registry.exposed_by(engine, repository)

    def has_registry_token(self) -> bool:
        """Whether the credential is a token that the registry takes as it is."""
        credential = self._registry.grant(self._repository).credential
        return bool(credential and credential.registry_token)

    def reaches(self) -> bool | None:
        """Whether the host reaches the registry; None where it cannot find out."""
        return self._host.reaches(self._registry.endpoint)

    def unusable(self, engine: str) -> str:
        """Return why an engine that the host has cannot be used, as part of a sentence."""
        path = Path(self._host.facts.programs[engine])
        return probe.look(engine, path, self._host.programs).unusable.rstrip(".")

    def misfit(self) -> str:
        """Return why this machine's crane cannot run on the host, as part of a sentence."""
        facts = self._host.facts
        try:
            program = self._installed().selected("crane").path
        except EngineError as error:
            return error.what.rstrip(".")
        return portable.misfit(program, facts.system, facts.machine, facts.libc)

    def missing_here(self) -> str:
        """Return why the engine of --engine cannot be used on this machine; empty when it can."""
        if self._options.engine not in PROGRAMS:
            return ""
        try:
            self._installed().selected(self._options.engine)
        except EngineError as error:
            return error.what.rstrip(".")
        return ""

    def copied(self, progress: Progress, *, keep: bool) -> str:
        """Copy this machine's crane to the host; return its path there."""
        program = self._installed().selected("crane").path
        path = self._host.send_engine(program, progress, keep=keep)
        self.kept = path if keep else ""
        return path

    def prepared(self, name: str, program: str, reached: RegistryThere) -> RemoteEngineEnv:
        """Send what an engine needs there in addition to the program and the image.

        Args:
            name: The engine.
            program: Its path there.
            reached: How it reaches the registry.
        """
        host, is_skopeo, own = self._host, name == "skopeo", self._registry.endpoint
        endpoint = replace(own, host=reached.host or own.host)
        env = RemoteEngineEnv(
            run=host.run,
            read=host.read,
            program=program,
            folder=host.facts.folder,
            endpoint=endpoint,
            authfile=partial(sent_authfile, name, self._registry, self._repository, endpoint.host),
            certificates=host.send_certificates(endpoint.trust.ca_files),
            environment=reached.environment,
            policy=host.signature_policy() if is_skopeo else None,
        )
        if is_skopeo:
            host.send_settings(f"{env.home}/{skopeo.LOGINS_PATH}", skopeo.LOGINS.encode())
        return env


def engine_there(name: str, env: RemoteEngineEnv, image: Exported) -> CraneThere | SkopeoThere:
    """Return an engine of a host with the image before it."""
    return CraneThere(env, image) if name == "crane" else SkopeoThere(env, image)
