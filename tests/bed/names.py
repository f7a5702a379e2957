"""Registries under the names of the world's own, which a proxy leads to loopback."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed.certificates import Certificates
from bed.proxy import ConnectProxy, connect_proxy
from bed.registry import Login, Registry, docker_registry


@dataclass(frozen=True, slots=True)
class Named:
    """A registry that is reached under other names.

    Attributes:
        registry: The registry.
        proxy: Leads its names there.
    """

    registry: Registry
    proxy: ConnectProxy

    @property
    def environment(self) -> dict[str, str]:
        """What leads programs there."""
        return {"HTTPS_PROXY": self.proxy.url, "NO_PROXY": "127.0.0.1,localhost"}


@contextlib.contextmanager
def named(
    folder: Path,
    certificates: Certificates,
    login: Login,
    *names: str,
    auth: Mapping[str, Any] | None = None,
) -> Iterator[Named]:
    """Run docker-registry under these host names for as long as the block lasts.

    Args:
        folder: A folder of its own; it is made.
        certificates: Certificates for the names.
        login: The one account.
        names: The host names.
        auth: The registry's `auth` section, in place of a file with the login.
    """
    folder.mkdir()
    with docker_registry(folder, login=login, certificates=certificates, auth=auth) as registry:
        routes = {f"{name}:443": registry.host for name in names}
        with connect_proxy(routes) as proxy:
            yield Named(registry, proxy)
