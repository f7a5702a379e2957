"""A credential, checked at its registry before it is stored."""

import time
from collections.abc import Mapping

from dockless.errors import NetworkError
from dockless.model.registry_access import RegistryAccess
from dockless.model.secret import Credential
from dockless.registry.client import RegistryClient
from dockless.storage.user_folders import home_folder
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient


def check_login(
    host: str,
    access: RegistryAccess,
    until: float | None,
    credential: Credential,
    environment: Mapping[str, str],
) -> bool:
    """Check that the registry accepts a credential; return whether it requires one.

    Raises:
        AuthError: It rejects it.
        NetworkError: It does not respond, or not before `until` on the clock of `time.monotonic`.
    """
    endpoint = endpoint_of(host, access, home_folder(), until=until)
    http = HttpClient(endpoint, environment, until, by_option=False)
    try:
        return RegistryClient(http, lambda: credential).check()
    except NetworkError:
        if until is None or time.monotonic() < until:
            raise
        raise NetworkError(
            f"The login to {host} could not be checked within --timeout.",
            f"Nothing was stored. Give more time, or run: dockless doctor {host}",
            passing=False,
        ) from None
