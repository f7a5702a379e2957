"""The connections of one session to registries: all repositories of a registry share them."""

from msgspec.structs import replace

from dockless.model.options import PushOptions
from dockless.registry.client import RegistryClient
from dockless.storage.machine import Machine
from dockless.transport.endpoints import as_source, endpoint_of
from dockless.transport.http import CONNECTIONS, HttpClient
from dockless.transport.request_limits import RequestLimits

_GIVE_ONE = (
    "Give it in the credentials of the Client, by the name {host}; or use "
    "Client.from_environment(), which reads what `dockless login` and docker stored."
)
"""What a client of the library that reads no stored logins is advised."""


class RegistryConnections:
    """Connects to registries, each once.

    Args:
        options: How they are reached.
        machine: The user's environment and home.
        limits: What they may be asked.
        connections: How many connections to one host may be open at once.
        known: The registries that earlier sessions with the same options have reached, by host;
            those that are reached now are added. None for a session that shares none.

    Attributes:
        source: Whether they are sources of a command whose options are for its target alone.
    """

    def __init__(
        self,
        options: PushOptions,
        machine: Machine,
        limits: RequestLimits,
        connections: int = CONNECTIONS,
        known: dict[str, RegistryClient] | None = None,
    ) -> None:
        self.source = False
        self._options = options
        self._machine = machine
        self._limits = limits
        self._connections = min(connections, options.max_connections or CONNECTIONS)
        self._clients = {} if known is None else known

    def to(self, host: str) -> RegistryClient:
        """Return a client without an account, of a registry that responds.

        Raises:
            NetworkError: It does not respond.
            PushError: What responds is not a registry.
        """
        if host not in self._clients:
            machine, until = self._machine, self._limits.until
            endpoint = endpoint_of(host, self._options, machine.home, until=until)
            if self.source:
                endpoint = as_source(endpoint, machine.home)
            if not machine.has_logins:
                endpoint = replace(endpoint, login=_GIVE_ONE.format(host=host))
            http = HttpClient(endpoint, machine.environment, until, self._connections)
            http.slots = self._limits.slots(host)
            client = RegistryClient(http, lambda: None)
            client.ping()
            self._clients[host] = client
        return self._clients[host]
