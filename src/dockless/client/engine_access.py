"""How engines reach a registry with the credential that dockless has for it."""

from functools import partial

from dockless.credentials.authfile import authfile, docker_key
from dockless.credentials.memory import in_memory
from dockless.engines.adapters import Entrance
from dockless.engines.choice import EngineAccess
from dockless.model.secret import Grant
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient


def engine_access(client: RegistryClient, repository: Repository) -> EngineAccess:
    """Return how engines reach a repository, which get what `client` knows when they start."""
    host = client.http.endpoint.host
    return EngineAccess(
        endpoint=client.http.endpoint,
        exposed_by=client.exposed_by,
        crane=lambda: _entrance(client.grant(repository), docker_key(host)),
        # skopeo takes a token for a repository as an argument only, which everybody could read; it
        # gets its own such token for the credential
        skopeo=lambda: _entrance(Grant(client.login()), host),
    )


def _entrance(grant: Grant, key: str) -> Entrance:
    content = authfile(key, grant.credential)
    return Entrance(partial(in_memory, content), grant.credential is None, grant.ends)
