"""Blobs that several repositories share: who is to send each of them, and where they are by now."""

import threading
from collections.abc import Collection

from dockless.model.digest import Digest
from dockless.model.reference import Repository

_LONGEST_WAIT_SECONDS = 600.0

Key = tuple[str, Digest]


class SharedBlobs:
    """Where each blob of a mirror is, or who is just sending it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._homes: dict[Key, Repository] = {}
        self._sending: dict[Key, Sender] = {}

    def sender(self) -> "Sender":
        """Return one of those that send, who pushes one image at a time."""
        return Sender(self._changed, self._homes, self._sending)


class Sender:
    """One of those that send."""

    def __init__(
        self,
        changed: threading.Condition,
        homes: dict[Key, Repository],
        sending: "dict[Key, Sender]",
    ) -> None:
        self._changed = changed
        self._homes = homes
        self._sending = sending

    def done(self, repository: Repository, digests: Collection[Digest]) -> None:
        """Say that a push ended, and that the repository has these blobs."""
        with self._changed:
            for key in [key for key, sender in self._sending.items() if sender is self]:
                del self._sending[key]
            for digest in digests:
                self._homes.setdefault((repository.host, digest), repository)
            self._changed.notify_all()

    def reserve(self, host: str, digests: Collection[Digest]) -> None:
        """Take on the blobs that no repository has and nobody sends, and wait for none."""
        with self._changed:
            for digest in digests:
                if (host, digest) not in self._homes:
                    self._sending.setdefault((host, digest), self)

    def take_over(self, other: "Sender") -> None:
        """Send what another one has reserved."""
        with self._changed:
            mine = [key for key, sender in self._sending.items() if sender is other]
            self._sending |= dict.fromkeys(mine, self)

    def claim(self, host: str, digests: Collection[Digest]) -> dict[Digest, Repository]:
        """Take on the blobs that no repository has, and wait for those that others are sending.

        Whoever claims first claims all that is free at once, so nobody waits for somebody who
        waits for them.

        Returns:
            The blobs that a repository has by now, and which.
        """
        wanted = [(host, digest) for digest in digests]
        with self._changed:
            for key in wanted:
                if key not in self._homes:
                    self._sending.setdefault(key, self)
            others = [key for key in wanted if self._sending.get(key, self) is not self]
            self._changed.wait_for(
                lambda: not any(key in self._sending for key in others), _LONGEST_WAIT_SECONDS
            )
            for key in others:  # whoever was to send them failed
                if key not in self._homes:
                    self._sending.setdefault(key, self)
            return {key[1]: self._homes[key] for key in wanted if key in self._homes}
