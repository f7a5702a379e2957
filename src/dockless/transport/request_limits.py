"""What all sessions of one command, or of one call of the library, may ask of registries."""

import math

from dockless.retry import SharedBackoff
from dockless.transport.rate_limit import RateLimiter
from dockless.transport.request_slots import RequestSlots


class RequestLimits:
    """Limits that sessions in several threads share.

    Args:
        rate: Bytes a second that may be uploaded; None for no limit.
        most: How many requests a registry may get at once; None for no limit until it shows one.
        until: The moment, on the clock of `time.monotonic`, when all of it ends; None for none.

    Attributes:
        until: The same.
        rate_limiter: The limit of bytes a second.
        shared_backoff: The pause that a registry asked for.
    """

    def __init__(
        self, *, rate: int | None = None, most: int | None = None, until: float | None = None
    ) -> None:
        self.until = until
        self.rate_limiter = RateLimiter(rate)
        # who gave no limit of time should not wait for hours
        self.shared_backoff = SharedBackoff() if until is None else SharedBackoff(longest=math.inf)
        self._most = most
        self._slots: dict[str, RequestSlots] = {}

    def slots(self, host: str) -> RequestSlots:
        """Return the requests that a registry may get at once."""
        return self._slots.setdefault(host, RequestSlots(self._most))
