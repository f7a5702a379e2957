"""How many requests a registry gets at once.

Proxies with a limit on connections (nginx: `limit_conn`) respond with 503 or 429 to what is one too
many, and ask for no pause. What was one too many is sent again once there is room.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

from dockless.errors import NoSlotError, out_of_time

_LOOK_SECONDS = 0.5


class RequestSlots:
    """The requests that a registry may get at once; threads share it.

    Args:
        most: How many at most; None for no limit until the registry shows that it has one.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._active = 0
        self._reductions = 0
        self._changed = threading.Condition()
        self._mine = threading.local()

    @property
    def most(self) -> int | None:
        """How many requests there may be at once; None for no limit."""
        return self._most

    @contextlib.contextmanager
    def taken(self, host: str, until: float | None = None) -> Iterator["Slot"]:
        """Hold a slot during the block, once there is one.

        Args:
            host: The registry, for the error.
            until: The moment, on the clock of `time.monotonic`, when waiting ends; None for none.

        Raises:
            NoSlotError: This thread holds the last one itself.
            NetworkError: None became free until then.
        """
        with self._changed:
            self._wait(host, until)
            self._active += 1
            slot = Slot(self, self._reductions, self._active)
        self._mine.held = self._held + 1
        try:
            yield slot
        finally:
            self._mine.held = self._held - 1
            with self._changed:
                self._active -= 1
                self._changed.notify()

    def reduced(self, reductions: int, together: int) -> bool:
        """Allow fewer requests, as one was too many; return whether it may be sent again at once.

        Args:
            reductions: How often that had been done when the request was sent.
            together: How many there were at once.
        """
        with self._changed:
            together = max(together, self._active)
            if together <= 1:
                return False
            if reductions == self._reductions:  # others of that time are too many for this reason
                self._most = max(1, min(together, self._most or together) // 2)
                self._reductions += 1
            return self._held <= 1  # else this thread itself holds what would have to become free

    @property
    def _held(self) -> int:
        held: int = getattr(self._mine, "held", 0)
        return held

    def _wait(self, host: str, until: float | None) -> None:
        while self._most is not None and self._active >= self._most:
            if self._held:
                raise NoSlotError(f"{host} accepts no further request at the same time.")
            left = _LOOK_SECONDS if until is None else until - time.monotonic()
            if left <= 0:
                raise out_of_time(host)
            self._changed.wait(min(left, _LOOK_SECONDS))


class Slot:
    """A slot that is held.

    Args:
        slots: All of them.
        reductions: How often their number was reduced when this one was taken.
        together: How many were held then.
    """

    def __init__(self, slots: RequestSlots, reductions: int, together: int) -> None:
        self._slots = slots
        self._reductions = reductions
        self._together = together

    def was_too_many(self) -> bool:
        """Note that the registry refused this request; return whether it may be sent again."""
        return self._slots.reduced(self._reductions, self._together)
