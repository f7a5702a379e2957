"""Who we are to one registry during a push, which may take longer than a token lives."""

import threading
import time
from collections.abc import Callable

from dockless.model.secret import Credential

_MARGIN_SECONDS = 120.0


class Account:
    """A credential that is found anew shortly before it ends.

    Args:
        credential: The one to begin with; None for anonymous.
        find: Finds it again; may run programs, and raise what these raise.
        clock: Gives the seconds since 1970.
    """

    def __init__(
        self,
        credential: Credential | None,
        find: Callable[[], Credential | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credential = credential
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()

    def __call__(self) -> Credential | None:
        """Return the credential; the old one if there is no newer, since clocks may be off."""
        with self._lock:
            now = self._credential
            if now and now.expires is not None and now.expires - self._clock() < _MARGIN_SECONDS:
                self._credential = self._find() or now
            return self._credential
