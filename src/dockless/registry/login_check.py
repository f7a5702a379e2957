"""A credential, checked at its registry before it is stored."""

import time
from collections.abc import Mapping

from dockless.errors import NetworkError
from dockless.model.registry_access import RegistryAccess
from dockless.model.secret import Credential
from dockless.storage.user_folders import home_folder


def check_login(
    host: str,
    access: RegistryAccess,
    environment: Mapping[str, str],
    until: float | None,
    credential: Credential,
) -> bool:
    """Check that the registry accepts a credential; return whether it requires one.

    What speaks HTTP is loaded here, after all questions have been asked.

    Args:
        host: The registry.
        access: How it is reached.
        environment: For proxies and certificates.
        until: The moment, on the clock of `time.monotonic`, when it is given up; None for none.
        credential: The credential.

    Raises:
        AuthError: It rejects it.
        NetworkError: It does not respond, or not before `until` on the clock of `time.monotonic`.
    """
    from dockless.registry.client import RegistryClient  # noqa: PLC0415 - after all questions
    from dockless.transport.endpoints import endpoint_of  # noqa: PLC0415 - the same
    from dockless.transport.http import HttpClient  # noqa: PLC0415 - the same

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
