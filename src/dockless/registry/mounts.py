"""Blobs that several repositories share: sent to the first, and mounted into the others.

The request is that of the distribution-spec, 'Mounting a blob from another repository'. Whatever
goes wrong here is left to the engine, which then sends the blob.
"""

import contextlib
import threading
from collections.abc import Collection
from urllib.parse import quote

from dockless.model.digest import Digest
from dockless.model.errors import DocklessError
from dockless.model.reference import Repository
from dockless.ports import EarlyUploads, Task
from dockless.registry.client import RegistryClient

_CREATED, _ACCEPTED = 201, 202
_LONGEST_WAIT_SECONDS = 600.0

Key = tuple[str, Digest]


class SharedBlobs:
    """Where each blob of a mirror is, or who is just sending it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._homes: dict[Key, Repository] = {}
        self._sending: dict[Key, Repository] = {}

    def done(self, repository: Repository, digests: Collection[Digest], *, arrived: bool) -> None:
        """Say that a push ended; if it `arrived`, the repository has these blobs."""
        with self._changed:
            for key in [key for key, sender in self._sending.items() if sender == repository]:
                del self._sending[key]
            if arrived:
                self._homes |= {(repository.host, digest): repository for digest in digests}
            self._changed.notify_all()

    def claim(
        self, repository: Repository, digests: Collection[Digest]
    ) -> dict[Digest, Repository]:
        """Take on the blobs that nobody has, and wait for those that others are sending.

        Whoever claims first claims all that is free at once, so nobody waits for somebody who
        waits for them.

        Returns:
            The blobs that another repository has by now, and which.
        """
        mine = {(repository.host, digest) for digest in digests}
        with self._changed:
            free = [key for key in mine if key not in self._homes and key not in self._sending]
            self._sending |= dict.fromkeys(free, repository)
            others = [key for key in mine if self._sending.get(key, repository) != repository]
            self._changed.wait_for(
                lambda: not any(key in self._sending for key in others), _LONGEST_WAIT_SECONDS
            )
            for key in others:  # whoever was to send them failed
                if key not in self._homes:
                    self._sending.setdefault(key, repository)
            return {
                key[1]: home
                for key in mine
                if (home := self._homes.get(key)) is not None and home != repository
            }


class Mounts:
    """The blobs of one repository that are mounted before its engine starts.

    As a `ports.EarlyUploads`.
    """

    def __init__(
        self, early: EarlyUploads, client: RegistryClient, repository: Repository, all_: SharedBlobs
    ) -> None:
        self._early = early
        self._client = client
        self._repository = repository
        self._all = all_

    def borrow(self, missing: Collection[Digest]) -> frozenset[Digest]:
        """Mount what other repositories have; return the blobs that this one has now."""
        had = set()
        for digest, home in self._all.claim(self._repository, missing).items():
            with contextlib.suppress(DocklessError):
                if self._mount(digest, home):
                    had.add(digest)
        return frozenset(had)

    def commit(self, wanted: Collection[Digest], sending: Task) -> None:
        """Commit what went ahead."""
        self._early.commit(wanted, sending)

    def _mount(self, digest: Digest, home: Repository) -> bool:
        query = f"mount={quote(str(digest))}&from={quote(home.path)}"
        answer = self._client.request("POST", self._repository, f"blobs/uploads/?{query}")
        # a registry that does not mount begins an upload instead
        location = answer.headers.get("Location", "")
        if answer.status == _ACCEPTED and location:
            self._client.request("DELETE", self._repository, location)
        return answer.status == _CREATED
