"""The workers of a mirror: sessions that share the state and the limits of one registry."""

import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dockless.client.connections import Find
from dockless.client.session import Session
from dockless.client.workspace import Spaces
from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError, LostCopyError, out_of_time, time_is_over
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.plan import PushResult
from dockless.oci.reference import Repository
from dockless.transport.http import CONNECTIONS
from dockless.transport.rate_limit import RateLimiter
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs
from dockless.usecases.mirror.run import MirrorItem

_OF_AN_ENGINE = 2
"""Connections that an engine opens to update a tag."""


class Bounds(Struct, frozen=True):
    """The limits of all workers together.

    Attributes:
        parallel: Images at once.
        connections: Connections at once; None for no limit.
        rate: Bytes a second; None for no limit.
    """

    parallel: int
    connections: int | None = None
    rate: int | None = None

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


class Workers:
    """Pushes images, each by an idle worker."""

    def __init__(self, shared: SharedBlobs, engine: str, until: float | None) -> None:
        self._shared = shared
        self._engine = engine
        self._until = until
        self._reserved: dict[MirrorItem, BlobClaims] = {}
        self._idle: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._turns: dict[Repository, threading.Lock] = {}

    def add(self, worker: Session) -> None:
        """Add a worker."""
        self._idle.put(worker)

    def push(self, entry: MirrorItem) -> PushResult:
        """Push an image.

        Raises:
            DocklessError: It did not arrive.
        """
        reserved = self._reserved.pop(entry, None)
        try:
            image = entry.open()
            with self._worker() as worker, self._turn(entry):
                if reserved:
                    worker.take_over(reserved)
                return worker.push(entry.repository, entry.tags, image)
        except FileNotFoundError as error:  # of the store: what is staged there is staged again
            what = f"{error.filename} was deleted during the push."
            raise LostCopyError(what, "Run the mirror again.") from error
        finally:
            if reserved:  # by a push that was not begun
                reserved.done(entry.repository, ())

    @contextlib.contextmanager
    def _turn(self, entry: MirrorItem) -> Iterator[None]:
        """Let a program write one referrer at a time to a repository.

        Where the registry lists no referrers, crane keeps the list in a tag: reads, adds, writes.
        What dockless writes itself needs no turn, and must not have one: it waits for blobs that
        others upload, which would deadlock with a lock that these wait for.

        Raises:
            NetworkError: --timeout has passed.
        """
        if entry.tags or self._engine not in PROGRAMS:
            yield
            return
        with self._guard:
            turn = self._turns.setdefault(entry.repository, threading.Lock())
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        if not turn.acquire(timeout=-1 if left is None else left):
            raise out_of_time(entry.repository.host)
        try:
            yield
        finally:
            turn.release()

    def look(self, entries: Sequence[MirrorItem]) -> None:
        """Find out which images arrived before, so that others need not upload their blobs.

        The blobs of the others are theirs to upload, in this run as in the interrupted one.
        """
        for entry in entries:
            self._reserved[entry] = self._shared.claims()
            self._reserved[entry].reserve(entry.repository.host, entry.blobs)
        map_concurrently(self._look, entries, max(1, self._idle.qsize()))

    def _look(self, entry: MirrorItem) -> None:
        with self._worker() as worker, contextlib.suppress(DocklessError):
            worker.look(entry.repository, entry.tags, entry.open(), self._reserved[entry])

    def settle(self) -> None:
        """See, when all are pushed, that the lists of referrers have what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        workers = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        try:
            map_concurrently(Session.settle_referrers, workers, max(1, len(workers)), finish=True)
        finally:
            for worker in workers:
                self._idle.put(worker)

    def knows(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        with self._worker() as worker:
            return worker.registry(repository).client.has(repository)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[Session]:
        worker = self._waited()
        try:
            yield worker
        finally:
            self._idle.put(worker)

    def _waited(self) -> Session:
        """Return an idle worker.

        Raises:
            NetworkError: None has until --timeout has passed.
        """
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        try:
            return self._idle.get(timeout=left)
        except queue.Empty:
            raise time_is_over("An idle worker") from None


@contextlib.contextmanager
def workers(options: PushOptions, find: Find, space: Spaces, bounds: Bounds) -> Iterator[Workers]:
    """Yield the workers of one command line.

    Args:
        options: How they push.
        find: Finds the credential for the registry.
        space: Makes a workspace of this name.
        bounds: What they may ask of the registry.
    """
    shared, rate_limiter = SharedBlobs(), RateLimiter(bounds.rate)
    until = None if options.timeout is None else time.monotonic() + options.timeout
    made = Workers(shared, options.engine, until)
    with contextlib.ExitStack() as stack:
        for number in range(bounds.workers):
            place = replace(
                stack.enter_context(space(f"mirror-{number}")),
                claims=shared.claims(),
                rate_limiter=rate_limiter,
                connections=bounds.connections_of_one,
            )
            session = Session(options, find, place)
            made.add(stack.enter_context(session))
        yield made
