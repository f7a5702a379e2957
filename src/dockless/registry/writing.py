"""What dockless itself writes to registries with, during one session."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.throughput import ThroughputRecords
from dockless.registry.uploader import HttpUploader
from dockless.retry import RetryPolicy
from dockless.transport.rate_limit import RateLimiter

if TYPE_CHECKING:
    from dockless.registry.referrers import ReferrersLists


class RegistryWriting:
    """Makes the uploaders and writers of one session.

    Args:
        rate_limiter: How fast all of them may go.
        throughput: Gets what is measured of each registry.
        turn: Gives, for a name, what to hold while a referrers tag is changed.
    """

    def __init__(
        self,
        rate_limiter: RateLimiter,
        throughput: ThroughputRecords,
        turn: Callable[[str], AbstractContextManager[object]],
    ) -> None:
        self._rate_limiter = rate_limiter
        self._throughput = throughput
        self._turn = turn
        self._referrers: list[ReferrersLists] = []

    def to(self, client: RegistryClient, until: float | None = None) -> tuple[HttpUploader, Direct]:
        """Return what writes to a registry: single blobs and manifests, and whole images.

        Args:
            client: The registry.
            until: The moment, on the clock of `time.monotonic`, when uploads end; None for none.
        """
        meter = self._throughput.meter(client.http.endpoint.host)
        uploader = HttpUploader(client, self._rate_limiter, meter, until)
        return uploader, Direct(client, uploader, functools.cache(partial(self._lists, client)))

    def settle(self, retry_policy: RetryPolicy) -> None:
        """Check, at the end, that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        for each in self._referrers:
            retry_policy.call(each.settle)

    def _lists(self, client: RegistryClient) -> "ReferrersLists":
        from dockless.registry.referrers import ReferrersLists  # noqa: PLC0415 - rare

        made = ReferrersLists(client, turn=self._turn)
        self._referrers.append(made)
        return made
