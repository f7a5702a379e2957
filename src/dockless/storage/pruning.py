"""Deleting what the store need not keep."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from dockless.storage.folders import deleted, files, strays

_RECORDS_KEPT_SECONDS = 90 * 24 * 3600


class Prunable(Struct, frozen=True, kw_only=True):
    """What may be deleted.

    Attributes:
        folder: The store's folder.
        blobs: Every blob, with its status.
        records: The folders of what is known of layers.
        began: When the oldest running push began, in seconds since 1970.
    """

    folder: Path
    blobs: Iterable[tuple[Path, os.stat_result]]
    records: tuple[Path, ...]
    began: float

    def prune(self, limit: int) -> int:
        """Delete blobs until `limit` bytes are left, and old records; see `BlobStore.prune`.

        Returns:
            The bytes that were freed.
        """
        freed = self._prune_blobs(limit)
        for path in strays(self.folder):
            deleted(path)
        oldest = time.time() - _RECORDS_KEPT_SECONDS
        for folder in self.records:
            for path, status in files(folder):
                if limit == 0 or status.st_mtime < oldest:
                    deleted(path)
        return freed

    def _prune_blobs(self, limit: int) -> int:
        blobs = sorted(self.blobs, key=lambda blob: blob[1].st_mtime_ns)
        total = sum(status.st_size for _, status in blobs)
        freed = 0
        for path, status in blobs:
            if total - freed <= limit:
                break
            idle = status.st_nlink == 1 and status.st_mtime < self.began
            if idle and deleted(path):
                freed += status.st_size
        return freed
