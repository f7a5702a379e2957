"""Connections that check their peer address before anything is sent.

A name may lead to any address, and to another one each time that it is looked up. So the address
of the connection is checked, and not only the URL.
"""

from typing import Any

import urllib3

from dockless.model.endpoint import Endpoint
from dockless.transport.origins import Origin, check_peer


def guard(manager: urllib3.PoolManager, place: Origin, endpoint: Endpoint) -> None:
    """Let the connections to a host refuse link-local addresses.

    Those through a proxy are let be: their address is the proxy's, which the user named.

    Args:
        manager: Makes the connections, for this host alone.
        place: The host.
        endpoint: The registry that leads there.
    """
    if not isinstance(manager, urllib3.ProxyManager):
        known = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {
            scheme: _checked(pool, place, endpoint) for scheme, pool in known.items()
        }


def _checked(
    pool: type[urllib3.HTTPConnectionPool], place: Origin, endpoint: Endpoint
) -> type[urllib3.HTTPConnectionPool]:
    """Return the same kind of pool, whose connections look at where they have got to."""
    base = pool.ConnectionCls

    def connect(made: Any) -> None:  # noqa: ANN401 - of whichever class the pool has
        base.connect(made)
        check_peer(made.sock.getpeername()[0], place, endpoint)

    connection = type(base.__name__, (base,), {"connect": connect})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})
