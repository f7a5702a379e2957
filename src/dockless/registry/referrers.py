"""The list of referrers of a manifest: signatures, SBOMs and other manifests with a subject.

A registry that keeps the list itself responds with OCI-Subject. For any other, the list is an
index under the referrers tag, which the pushing client updates: the distribution-spec, 'Pushing
Manifests with Subject' and 'Referrers Tag Schema'. Nothing there keeps two writers from overwriting
one another, so that each writer looks again.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from msgspec import Struct, field

from dockless.errors import NetworkError, PushError
from dockless.model.counts import share
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.manifests import put_manifest
from dockless.registry.referrers_list import ReferrerDescriptor, merged, missing, referrer_of
from dockless.registry.refusal import clean

_T = TypeVar("_T")

ATTEMPTS = 5
FAILURES = 10
_FIRST_PAUSE_SECONDS = 0.1
_QUIET_SECONDS = 0.2
_CONTENDED_QUIET_SECONDS = 1.0
_QUIET_PER_WRITE = 4.0
_LONGEST_QUIET_SECONDS = 10.0

Turn = Callable[[str], AbstractContextManager[object]]


class _List(Struct, kw_only=True):
    """The list of one subject in one repository, as far as this run has to do with it.

    Attributes:
        repository: The repository.
        tag: The tag that stands for the subject.
        ours: What this run put there, by digest.
        turn: Held by the threads of this process while it is read and written.
        written: Whether this run wrote it.
        body: The index when it was last read; None while there is none.
        since: The moment, on the run's clock, since when it has been seen to be `body`.
        contended: Whether another writer has been seen to write it.
    """

    repository: Repository
    tag: str
    ours: dict[str, ReferrerDescriptor] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)
    written: bool = False
    body: bytes | None = None
    since: float = 0.0
    contended: bool = False

    @property
    def name(self) -> str:
        """What it is called among the locks of this machine."""
        return f"referrers-{Digest.of(f'{self.repository}:{self.tag}'.encode()).hex[:32]}"

    def missing(self) -> tuple[ReferrerDescriptor, ...]:
        """Return what this run put there and `body` lacks.

        Raises:
            PushError: The content of the tag is not a list of referrers.
        """
        return self._of_ours(missing)

    def merged(self) -> bytes:
        """Return `body` with what it lacks; raises as `missing` does."""
        return self._of_ours(merged)

    def _of_ours(self, of: Callable[[bytes | None, tuple[ReferrerDescriptor, ...]], _T]) -> _T:
        try:
            return of(self.body, tuple(self.ours.values()))
        except ValueError as error:
            raise PushError(
                f"{self.repository}:{self.tag} is not a list of referrers that can be extended: "
                f"{clean(str(error))}.",
                "It was left unchanged; delete that tag, or push to another repository.",
            ) from None


class ReferrersLists:
    """Updates the referrers tags at one registry, for one run; threads may share it.

    Args:
        client: The registry.
        turn: Gives, for a name, what to hold while the list of that name is read and written: a
            lock that other processes of this machine respect. Lists are right without it, too.
        sleep: Waits this number of seconds.
        clock: Returns the seconds since some moment.
        jitter: Returns a number from 0 to 1, another each time.
    """

    def __init__(
        self,
        client: RegistryClient,
        *,
        turn: Turn = contextlib.nullcontext,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._turn = turn
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._guard = threading.Lock()
        self._lists: dict[tuple[Repository, str], _List] = {}
        self._slowest = 0.0

    def add(self, repository: Repository, data: bytes) -> None:
        """See that a manifest is listed that was put into a repository, by its digest.

        Only for a registry that did not answer its PUT with OCI-Subject: it keeps no lists.

        A list that many write to at once may lose it again, or not keep it yet: `settle` sees to
        that at the end of the run.

        Args:
            repository: The repository.
            data: The manifest; nothing is done for one without a subject.

        Raises:
            PushError: The content of the tag is not a list of referrers, or the tag cannot be
                written.
            NetworkError: The registry is in trouble.
        """
        referrer = referrer_of(data)
        if referrer is None:
            return
        tag = referrer.subject.referrers_tag()
        with self._guard:
            kept = self._lists.setdefault((repository, tag), _List(repository=repository, tag=tag))
            # replaced, not added to: another thread may be reading it
            kept.ours = {**kept.ours, referrer.descriptor["digest"]: referrer.descriptor}
        self._bring(kept)

    def settle(self) -> None:
        """See, at the end of the run, that every list still has what this run wrote to it.

        Another writer may have read a list before ours was in it, and write it afterwards. So each
        list is looked at until it has stayed the same for longer than a writer takes, five times
        at most; what is missing is written again.

        Raises:
            NetworkError: A list that others write to loses what this run put there, every time.
            PushError: As for `add`.
        """
        moving = [kept for kept in self._lists.values() if kept.written]
        for attempt in range(ATTEMPTS):
            self._wait_for(moving, attempt)
            moving = [kept for kept in moving if not self._is_quiet(kept)]
            if not moving:
                return
        for kept in moving:
            self._bring(kept)
            if kept.missing():
                lost = share(len(kept.missing()), len(kept.ours), "manifest")
                raise NetworkError(
                    f"Other clients overwrite {kept.repository}:{kept.tag}, the list of referrers "
                    f"of an image: it lacks {lost} that this run pushed.",
                    "Push again when they are done.",
                )

    def _wait_for(self, moving: Sequence[_List], attempt: int) -> None:
        """Wait until each list can have stayed the same for long enough: no use to look before."""
        left = max((kept.since + self._quiet(kept) for kept in moving), default=0) - self._clock()
        if attempt:  # so that two that repair the same list do not keep step
            left *= 1.5 ** (attempt - 1) * (1 + self._jitter() / 2)
        if left > 0:
            self._sleep(left)

    def _quiet(self, kept: _List) -> float:
        """Return how long a list has to stay the same: longer than from a read to its write."""
        least = _CONTENDED_QUIET_SECONDS if kept.contended else _QUIET_SECONDS
        usual = max(least, _QUIET_PER_WRITE * self._slowest)
        return min(usual, _LONGEST_QUIET_SECONDS)

    def _is_quiet(self, kept: _List) -> bool:
        body, since = kept.body, kept.since
        self._bring(kept)
        stayed = kept.body == body and self._clock() - since >= self._quiet(kept)
        return stayed and not kept.missing()

    def _bring(self, kept: _List) -> None:
        """Read a list and write what is missing, five times at most, until it is there.

        A registry that fails at it does so ten times before that is an error.

        Raises:
            PushError, NetworkError: As for `add`.
        """
        lost = failed = 0
        while lost < ATTEMPTS:
            if lost or failed:
                self._sleep(_FIRST_PAUSE_SECONDS * 2 ** min(lost + failed, 4) * self._jitter())
            try:
                with kept.turn, self._turn(kept.name):
                    if self._try(kept):
                        return
                lost += 1
            except NetworkError as error:
                # docker-registry writes a tag in place: who reads it meanwhile is answered 500
                failed += 1
                asked = error.retry_after is not None or not error.passing
                if asked or failed == FAILURES:
                    raise

    def _try(self, kept: _List) -> bool:
        """Read a list, and write it and read it again where ours is missing; return whether not."""
        begun = self._clock()
        self._read(kept)
        if not kept.missing():
            return True
        put_manifest(self._client, kept.repository, kept.tag, kept.merged(), OCI_INDEX)
        kept.written, kept.body = True, None  # whatever is read now is seen for the first time
        self._slowest = max(self._slowest, self._clock() - begun)
        self._read(kept)
        return not kept.missing()

    def _read(self, kept: _List) -> None:
        body = self._client.at_tag(kept.repository, kept.tag)
        if body != kept.body:
            kept.contended = kept.contended or kept.body is not None
            kept.body, kept.since = body, self._clock()


def unlisted(
    client: RegistryClient, repository: Repository, documents: Iterable[bytes]
) -> tuple[Digest, ...]:
    """Return those manifests with a subject that no list of the registry has as it should.

    Args:
        client: The registry.
        repository: The repository.
        documents: Manifests and indexes that were written there.
    """
    found = []
    for data in documents:
        referrer = referrer_of(data)
        if referrer and not client.lists_referrers(repository):
            body = client.at_tag(repository, referrer.subject.referrers_tag())
            with contextlib.suppress(ValueError):
                if missing(body, (referrer.descriptor,)):
                    found.append(Digest.of(data))
    return tuple(found)
