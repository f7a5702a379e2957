"""A credential, checked at its registry before it is stored."""

import time
from collections.abc import Mapping

from msgspec.structs import replace

from dockless.errors import NetworkError
from dockless.model.login_options import LoginOptions
from dockless.model.secret import Credential
from dockless.registry.client import RegistryClient
from dockless.storage.user_folders import home_folder
from dockless.transport.endpoints import reach
from dockless.transport.http import HttpClient
from dockless.transport.trust import find_trust


def check_login(
    options: LoginOptions,
    host: str,
    until: float | None,
    credential: Credential,
    environment: Mapping[str, str],
) -> bool:
    """Check that the registry accepts a credential; return whether it requires one.

    Raises:
        AuthError: It rejects it.
        NetworkError: It does not respond, or not before `until` on the clock of `time.monotonic`.
    """
    trust = find_trust(host, options.ca_file, options.cert_dir, home_folder())
    endpoint = reach(host, insecure=options.insecure, trust=trust, until=until)
    endpoint = replace(endpoint, insecure_realms=options.insecure_realms)
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
