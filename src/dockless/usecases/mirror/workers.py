"""The workers of a mirror, of which each pushes one image at a time to one registry."""

import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError, LostCopyError, time_is_over
from dockless.model.options import PROGRAMS
from dockless.model.plan import PushResult, TagMoves, with_moves
from dockless.oci.reference import Repository
from dockless.ports import Image
from dockless.transport.http import CONNECTIONS
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs
from dockless.usecases.mirror.run import MirrorItem

_OF_AN_ENGINE = 2
"""Connections that an engine opens to update a tag."""


class Bounds(Struct, frozen=True):
    """The limits of all workers together.

    Attributes:
        parallel: Images at once.
        connections: Connections at once; None for no limit.
    """

    parallel: int
    connections: int | None = None

    @property
    def workers(self) -> int:
        """How many workers there are."""
        if self.connections is None:
            return self.parallel
        return max(1, min(self.parallel, (self.connections - 1) // (1 + _OF_AN_ENGINE)))

    @property
    def connections_of_one(self) -> int:
        """How many connections a worker opens in addition to its engine's."""
        if self.connections is None:
            return CONNECTIONS
        # one is open already: that of the first question, about the account
        return max(1, (self.connections - 1) // self.workers - _OF_AN_ENGINE)


class MirrorWorker(Protocol):
    """Pushes images to one registry, one after another; a `client.session.Session`."""

    def take_over(self, reserved: BlobClaims) -> None:
        """Send what was reserved for the image that is pushed next."""

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        """Push an image; raise DocklessError if it did not arrive."""

    def look(
        self, repository: Repository, tags: Sequence[str], image: Image, claims: BlobClaims
    ) -> None:
        """Tell the others where an image's blobs are, if all its tags name it already."""

    def settle_referrers(self) -> None:
        """Check that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""


class Workers:
    """Pushes images, each by an idle worker.

    Args:
        shared: The blobs that several images have.
        engine: What writes to the registry, as `PushOptions.engine`.
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
        moves: What every worker records of the tags that it updates.
    """

    def __init__(
        self,
        shared: SharedBlobs,
        engine: str,
        until: float | None,
        moves: TagMoves | None = None,
    ) -> None:
        self._shared = shared
        self._engine = engine
        self._until = until
        self._moves = moves or TagMoves()
        self._reserved: dict[MirrorItem, BlobClaims] = {}
        self._idle: queue.SimpleQueue[MirrorWorker] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._turns: dict[Repository, threading.Lock] = {}

    def add(self, worker: MirrorWorker) -> None:
        """Add a worker."""
        self._idle.put(worker)

    def push(self, item: MirrorItem) -> PushResult:
        """Push an image.

        Raises:
            DocklessError: It did not arrive; it names the tags that an earlier attempt updated, or
                may have.
        """
        earlier = self._moves.touched(item.references)
        try:
            return self._push(item)
        except DocklessError as error:
            told = with_moves(error, self._moves, earlier)
            if told is error:
                raise
            raise told from error

    def _push(self, item: MirrorItem) -> PushResult:
        reserved = self._reserved.pop(item, None)
        try:
            if self._until is not None and time.monotonic() >= self._until:
                # before the target is asked: it did not use up the time
                raise time_is_over("The mirror")
            image = item.open()
            with self._worker() as worker, self._turn(item):
                if reserved:
                    worker.take_over(reserved)
                return worker.push(item.repository, item.tags, image)
        except FileNotFoundError as error:  # of the store: what is staged there is staged again
            what = f"{error.filename} was deleted during the push."
            raise LostCopyError(what, "Run the mirror again.") from error
        finally:
            if reserved:  # by a push that was not begun
                reserved.done(item.repository, ())

    @contextlib.contextmanager
    def _turn(self, item: MirrorItem) -> Iterator[None]:
        """Let a program write one referrer at a time to a repository.

        Where the registry lists no referrers, crane keeps the list in a tag: reads, adds, writes.
        What dockless writes itself needs no turn, and must not have one: it waits for blobs that
        others upload, which would deadlock with a lock that these wait for.

        Raises:
            NetworkError: --timeout has passed.
        """
        if item.tags or self._engine not in PROGRAMS:
            yield
            return
        with self._guard:
            turn = self._turns.setdefault(item.repository, threading.Lock())
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        if not turn.acquire(timeout=-1 if left is None else left):
            raise time_is_over(f"The wait for another referrer of {item.repository}")
        try:
            yield
        finally:
            turn.release()

    def look(self, items: Sequence[MirrorItem]) -> None:
        """Find out which images arrived before, so that others need not upload their blobs.

        The blobs of the others are theirs to upload, in this run as in the interrupted one.
        """
        for item in items:
            self._reserved[item] = self._shared.claims()
            self._reserved[item].reserve(item.repository.host, item.blobs)
        map_concurrently(self._look, items, max(1, self._idle.qsize()))

    def _look(self, item: MirrorItem) -> None:
        with self._worker() as worker, contextlib.suppress(DocklessError):
            worker.look(item.repository, item.tags, item.open(), self._reserved[item])

    def settle(self) -> None:
        """See, when all are pushed, that the lists of referrers have what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        workers = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        try:
            map_concurrently(
                lambda worker: worker.settle_referrers(), workers, max(1, len(workers)), finish=True
            )
        finally:
            for worker in workers:
                self._idle.put(worker)

    def knows(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        with self._worker() as worker:
            return worker.has(repository)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[MirrorWorker]:
        worker = self._waited()
        try:
            yield worker
        finally:
            self._idle.put(worker)

    def _waited(self) -> MirrorWorker:
        """Return an idle worker.

        Raises:
            NetworkError: None has until --timeout has passed.
        """
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        try:
            return self._idle.get(timeout=left)
        except queue.Empty:
            raise time_is_over("An idle worker") from None
