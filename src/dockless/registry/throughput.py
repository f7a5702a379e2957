"""The throughput to a registry: measured during uploads, and stored for later pushes."""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

from dockless.oci.untrusted_json import parse_as
from dockless.processes.regular import read_regular
from dockless.storage.drafts import write_draft
from dockless.storage.folders import unlink_folder_link

_REFUSAL_SECONDS = 30 * 24 * 3600
_LEAST_BYTES = 4_000_000
"""Fewer say nothing: what sockets hold, and the first moments of a connection, weigh too much."""


_LARGEST = sys.float_info.max  # what is larger is infinite


class ThroughputRecord(Struct, frozen=True):
    """What is known about a registry.

    Attributes:
        rate: Bytes a second that went there; None when too few did.
        takes_zstd: False once it refused an image with layers in zstd.
        oci_refused: When it refused OCI manifests and accepted Docker's, in seconds since 1970;
            None if it did not.
    """

    rate: Annotated[float, Meta(gt=0, le=_LARGEST)] | None = None
    takes_zstd: bool = True
    oci_refused: Annotated[float, Meta(ge=0, le=_LARGEST)] | None = None

    @property
    def takes_oci(self) -> bool:
        """Whether OCI manifests may be offered: a refusal is believed for 30 days."""
        refused = self.oci_refused
        return refused is None or not 0 <= time.time() - refused < _REFUSAL_SECONDS


class ThroughputMeter:
    """Measures the throughput of all concurrent uploads.

    Args:
        clock: Seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._senders = 0
        self._since = 0.0
        self._seconds = 0.0
        self._bytes = 0

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Count the time of this block, once for all who are in it."""
        with self._turn:
            if not self._senders:
                self._since = self._clock()
            self._senders += 1
        try:
            yield
        finally:
            with self._turn:
                self._senders -= 1
                if not self._senders:
                    self._seconds += self._clock() - self._since

    def count(self, sent: int) -> None:
        """Count bytes that went."""
        with self._turn:
            self._bytes += sent

    @property
    def rate(self) -> float | None:
        """Bytes a second; None when too few went."""
        if self._bytes < _LEAST_BYTES or not self._seconds:
            return None
        return self._bytes / self._seconds


class ThroughputRecords:
    """What is known of registries, in a file for each.

    It is only a cache: what cannot be read or written counts as unknown.

    Args:
        folder: Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meters: dict[str, ThroughputMeter] = {}
        self._turn = threading.Lock()

    def meter(self, host: str) -> ThroughputMeter:
        """Return the throughput meter of a registry, shared by all."""
        with self._turn:
            return self._meters.setdefault(host, ThroughputMeter())

    def of(self, host: str) -> ThroughputRecord:
        """Return what is known of a registry."""
        with contextlib.suppress(OSError, ValueError):
            if not self._folder.is_symlink():
                return parse_as(read_regular(self._path(host), follow=False), ThroughputRecord)
        return ThroughputRecord()

    def refused_zstd(self, host: str) -> None:
        """Store that a registry accepts no zstd."""
        self._write(host, replace(self.of(host), takes_zstd=False))

    def learn_oci(self, host: str, *, takes_oci: bool) -> None:
        """Store whether a registry accepts OCI manifests."""
        known = self.of(host)
        if takes_oci != known.takes_oci:
            self._write(host, replace(known, oci_refused=None if takes_oci else time.time()))

    def keep(self) -> None:
        """Store the measurement, averaged with the stored value."""
        for host, meter in self._meters.items():
            if meter.rate:
                known = self.of(host)
                rate = (meter.rate + (known.rate or meter.rate)) / 2
                self._write(host, replace(known, rate=rate))

    def _path(self, host: str) -> Path:
        return self._folder / f"{quote(host, safe='')}.json"

    def _write(self, host: str, record: ThroughputRecord) -> None:
        path = self._path(host)
        with contextlib.suppress(OSError):
            unlink_folder_link(path.parent)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_draft(path, json.dumps(asdict(record)).encode())
