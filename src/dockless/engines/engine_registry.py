"""The registry that engines push to, and the credential that each run of one gets."""

from functools import partial
from typing import Protocol

from dockless.engines.authfile import authfile
from dockless.engines.memory import in_memory
from dockless.engines.program_writers import EngineGrant
from dockless.errors import DocklessError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Grant
from dockless.oci.reference import Repository


class EngineRegistry(Protocol):
    """A registry, as far as engines need it."""

    @property
    def endpoint(self) -> Endpoint:
        """How it is reached."""

    def exposed_by(self, program: str, written: Repository | None = None) -> str:
        """Return why a program, by its name, would expose the credential; empty otherwise.

        Args:
            program: The program.
            written: The repository that it is to write to; None where it only reads.
        """

    def login(self) -> Credential | None:
        """Return the credential if the registry requires one."""

    def upload_refusal(self, repository: Repository) -> DocklessError | None:
        """Return why the registry refuses uploads to a repository, if it does; asks it."""

    def grant(self, repository: Repository) -> Grant:
        """Return what another program needs to push to the repository, and no more than that."""


def engine_grant(engine: str, registry: EngineRegistry, repository: Repository) -> EngineGrant:
    """Return the credential for the next run of an engine on this machine."""
    # skopeo takes a token for a repository as an argument only, which everybody could read; it
    # gets its own such token for the credential
    grant = registry.grant(repository) if engine == "crane" else Grant(registry.login())
    content = authfile(engine, registry.endpoint.host, grant.credential)
    return EngineGrant(partial(in_memory, content), grant.credential is None, grant.ends)


def sent_authfile(
    engine: str, registry: EngineRegistry, repository: Repository, host: str
) -> bytes | None:
    """Return the authfile that an engine on a host gets; None to be anonymous.

    Args:
        engine: Its name.
        registry: The registry.
        repository: Where it pushes to.
        host: The `host:port` that the registry has there.
    """
    credential = registry.grant(repository).credential
    if credential is None:
        return None
    return authfile(engine, host, credential).reveal().encode()
