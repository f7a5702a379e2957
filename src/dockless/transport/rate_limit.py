"""The rate limit of uploads to a registry."""

import threading
import time
from collections.abc import Callable


class RateLimiter:
    """A limit of bytes per second, shared by all users of the object.

    Args:
        rate: Bytes a second; None for no limit.
        clock: Seconds that only ever grow.
        sleep: Waits this number of seconds.
    """

    def __init__(
        self,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._free = 0.0

    def take(self, count: int, until: float | None = None) -> None:
        """Wait until this many bytes may be sent, or until that moment on the clock."""
        if self._rate is None:
            return
        with self._turn:
            now = self._clock()
            start = max(now, self._free)
            self._free = start + count / self._rate
        start = start if until is None else min(start, until)
        if start > now:
            self._sleep(start - now)
