"""Blobs that several repositories share: which sender uploads each, and where they are."""

import threading
import time
from collections.abc import Collection

from msgspec import Struct, field

from dockless.errors import time_is_over
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository

_LONGEST_WAIT_SECONDS = 600.0
_LOOK_SECONDS = 0.5

Key = tuple[str, Digest]


class SharedBlobs:
    """Where each blob of a mirror is, or which sender is uploading it."""

    def __init__(self) -> None:
        self._state = _SharedClaims()

    def claims(self) -> "BlobClaims":
        """Return a sender, which pushes one image at a time."""
        return BlobClaims(self._state)


class _SharedClaims(Struct, kw_only=True):
    """What all senders share, under the lock of `changed`.

    Attributes:
        changed: Notified of every change.
        homes: A repository that has a blob.
        seen: The blobs that the registry confirmed in this run; others are inferred from tags.
        sending: The sender that has claimed each blob.
        awaited: The blobs that a sender waits for.
    """

    changed: threading.Condition = field(default_factory=threading.Condition)
    homes: dict[Key, Repository] = field(default_factory=dict)
    seen: set[tuple[Repository, Digest]] = field(default_factory=set)
    sending: "dict[Key, BlobClaims]" = field(default_factory=dict)
    awaited: "dict[BlobClaims, tuple[Key, ...]]" = field(default_factory=dict)

    def awaits(self, one: "BlobClaims", other: "BlobClaims") -> bool:
        """Whether one sender waits for another, directly or through others."""
        seen: set[BlobClaims] = set()
        waiting = [one]
        while waiting:
            claims = waiting.pop()
            if claims is other:
                return True
            if claims not in seen:
                seen.add(claims)
                keys = self.awaited.get(claims, ())
                waiting += [self.sending[key] for key in keys if key in self.sending]
        return False


class BlobClaims:
    """A sender.

    Blobs are waited for first: a sender that waits for one holds no other lock.
    """

    def __init__(self, state: _SharedClaims) -> None:
        self._state = state

    def done(
        self, repository: Repository, digests: Collection[Digest], *, seen: bool = True
    ) -> None:
        """Record that a push ended, and that the repository has these blobs.

        Args:
            repository: Where to.
            digests: The blobs.
            seen: Whether the registry confirmed them, and not only a manifest that lists them.
        """
        state = self._state
        with state.changed:
            for key in [key for key, claims in state.sending.items() if claims is self]:
                del state.sending[key]
            for digest in digests:
                state.homes.setdefault((repository.host, digest), repository)
            if seen:
                state.seen.update((repository, digest) for digest in digests)
            state.changed.notify_all()

    def saw(self, repository: Repository, digest: Digest) -> bool:
        """Whether the registry confirmed in this run that the repository has a blob."""
        with self._state.changed:
            return (repository, digest) in self._state.seen

    def reserve(self, host: str, digests: Collection[Digest]) -> None:
        """Claim the blobs that no repository has and no sender uploads, without waiting."""
        with self._state.changed:
            self._take([(host, digest) for digest in digests])

    def take_over(self, other: "BlobClaims") -> None:
        """Take over the claims of another sender."""
        state = self._state
        with state.changed:
            mine = [key for key, claims in state.sending.items() if claims is other]
            state.sending |= dict.fromkeys(mine, self)

    def claim(
        self, host: str, digests: Collection[Digest], until: float | None = None
    ) -> dict[Digest, Repository]:
        """Claim the blobs that no repository has, and wait for those that others are uploading.

        To avoid a deadlock, a sender that would close a circle uploads those blobs as
        well.

        Args:
            host: The registry.
            digests: The blobs of one image.
            until: The moment, on the clock of `time.monotonic`, when waiting ends; None for none.

        Returns:
            The blobs that a repository has by now, and which.

        Raises:
            NetworkError: That moment has come.
        """
        wanted = [(host, digest) for digest in digests]
        state = self._state
        end = time.monotonic() + _LONGEST_WAIT_SECONDS
        end = end if until is None else min(end, until)
        with state.changed:
            self._take(wanted)
            others = tuple(key for key in wanted if state.sending.get(key, self) is not self)
            state.awaited[self] = others
            try:
                # whoever fails to wake us may have made its change
                while any(map(self._is_to_come, others)) and time.monotonic() < end:
                    state.changed.wait(max(0.0, min(_LOOK_SECONDS, end - time.monotonic())))
            finally:
                del state.awaited[self]
            if until is not None and others and time.monotonic() >= until:
                raise time_is_over(f"The wait for a layer that another image sends to {host}")
            self._take(others)  # the sender of them failed
            return {key[1]: state.homes[key] for key in wanted if key in state.homes}

    def _take(self, keys: Collection[Key]) -> None:
        for key in keys:
            if key not in self._state.homes:
                self._state.sending.setdefault(key, self)

    def _is_to_come(self, key: Key) -> bool:
        """Whether a blob is uploaded by a sender that does not wait for this one."""
        claims = self._state.sending.get(key)
        return claims is not None and not self._state.awaits(claims, self)
