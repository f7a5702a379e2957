"""The registries that the calls of one client have reached, so that the next need not ping them."""

import contextlib
import threading
from collections.abc import Hashable, Iterator

from dockless.registry.client import RegistryClient


class RegistryPool:
    """Lends each call the registries that an earlier one with the same options has reached.

    Threads may share it: what one call has is not lent to another at the same time.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._reached: list[tuple[Hashable, dict[str, RegistryClient]]] = []

    @contextlib.contextmanager
    def lent(self, options: Hashable, *, keep: bool) -> Iterator[dict[str, RegistryClient]]:
        """Yield registries by host, to which the call adds those that it reaches.

        Args:
            options: How they are reached.
            keep: Whether a later call may have them, which a limit of time forbids.
        """
        clients: dict[str, RegistryClient] = {}
        with self._guard:
            for each in self._reached:
                if each[0] == options:
                    self._reached.remove(each)
                    clients = each[1]
                    break
        yield clients
        if keep:
            with self._guard:
                self._reached.append((options, clients))

    def close(self) -> None:
        """Close every connection; none may be lent now."""
        with self._guard:
            reached, self._reached = self._reached, []
        for _, clients in reached:
            for each in clients.values():
                each.http.close()
