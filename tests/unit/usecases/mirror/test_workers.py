import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.concurrency import alone
from dockless.errors import NetworkError, SourceError
from dockless.model.options import PROGRAMS
from dockless.model.plan import Plan, PushResult, TagMoves
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.ports import Image
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs
from dockless.usecases.mirror.run import MirrorItem, mirror
from dockless.usecases.mirror.workers import Bounds, Workers
from fakes.image import FakeImage


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.2])
def test_nobody_waits_for_a_worker_past_the_time_of_the_command(seconds: float) -> None:
    made = Workers(SharedBlobs(), "direct", time.monotonic() + seconds)
    knows = alone(lambda: made.knows(Repository.of("registry.inside", "a")))
    with pytest.raises(NetworkError, match="within --timeout"):
        knows.result(30)


@pytest.mark.parametrize(
    ("bounds", "workers", "each"),
    [
        (Bounds(4), 4, 8),
        (Bounds(4, 1), 1, 1),
        (Bounds(1, 1), 1, 1),
        (Bounds(64, 2), 1, 1),
        (Bounds(4, 4), 1, 1),
        (Bounds(4, 8), 2, 1),
        (Bounds(4, 100), 4, 22),
        (Bounds(64, 10), 3, 1),
    ],
)
def test_connections_are_shared_out_with_two_for_each_engine(
    bounds: Bounds, workers: int, each: int
) -> None:
    assert (bounds.workers, bounds.connections_of_one) == (workers, each)
    if bounds.connections and bounds.connections > 3:  # else nothing is left for a program
        assert 1 + workers * (each + 2) <= bounds.connections


class FakeWorker:
    """A worker that takes the blobs of an image on as a real one does, and sends nothing.

    Where a program writes, it takes none on.
    """

    def __init__(self, claims: BlobClaims, blobs: frozenset[Digest]) -> None:
        self._claims = claims
        self._blobs = blobs

    def take_over(self, reserved: BlobClaims) -> None:
        self._claims.take_over(reserved)

    def look(
        self, repository: Repository, tags: Sequence[str], image: Image, claims: BlobClaims
    ) -> None:
        """Find nothing there."""

    def settle_referrers(self) -> None:
        """Find them as they were written."""

    def has(self, repository: Repository) -> bool:
        return repository.host == HOST

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        assert not tags
        content = image.content()
        try:
            self._claims.claim(repository.host, self._blobs)
        finally:
            self._claims.done(repository, self._blobs)
        plan = Plan(repository=repository, content=content, blobs=(), tags=(), digest_is_new=False)
        return PushResult(
            plan=plan,
            unchanged=False,
            dry_run=False,
            verified=True,
            engine="direct",
            sent=0,
            attempts=1,
            seconds=0.0,
        )


HOST = "registry.inside:5000"
BLOBS = frozenset(Digest.of(each) for each in (b"config", b"layer"))


def team(engine: str, size: int, until: float | None = None) -> Workers:
    shared = SharedBlobs()
    made = Workers(shared, engine, until)
    claimed = frozenset() if engine in PROGRAMS else BLOBS
    for _ in range(size):
        made.add(FakeWorker(shared.claims(), claimed))
    return made


def referrers(image: Image, count: int, repository: str = "shop") -> list[MirrorItem]:
    digest = image.content().root.digest
    place = Reference(Repository.of(HOST, repository), digest=digest)
    return [
        MirrorItem(
            source=f"tag-{n}",
            name="sbom",
            references=(place,),
            size=1,
            open=lambda: image,
            blobs=BLOBS,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("engine", ["auto", "crane", "direct"])
@pytest.mark.parametrize(("count", "size"), [(2, 2), (5, 2), (12, 4)])
def test_one_referrer_found_several_times_keeps_nobody_waiting(
    tmp_path: Path, engine: str, count: int, size: int
) -> None:
    image = FakeImage(tmp_path / "sbom")
    items = referrers(image, count)
    made = team(engine, size)

    others = threading.Event()

    # whoever reserved the blobs comes last, as where the threads of the others are faster
    def push(item: MirrorItem) -> PushResult:
        if item is items[0]:
            assert others.wait(30)
        elif item is items[1]:
            others.set()
        return made.push(item)

    going = alone(lambda: mirror(items, push, size, lambda _, __, ___: None, made.look))
    outcomes = going.result(30)
    assert all(isinstance(each, PushResult) for each in outcomes.values())


def test_a_reservation_ends_with_an_image_that_cannot_be_opened(tmp_path: Path) -> None:
    image = FakeImage(tmp_path / "one")

    def damaged() -> Image:
        raise SourceError("It is damaged.")

    one, other = referrers(image, 2)
    items = [replace(one, open=damaged), other]
    made = team("auto", 2)
    going = alone(lambda: mirror(items, made.push, 2, lambda _, __, ___: None, made.look))
    outcomes = going.result(30)
    assert [type(outcomes[each]) for each in items] == [SourceError, PushResult]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.05])
def test_the_turn_of_a_repository_ends_with_the_deadline(tmp_path: Path, seconds: float) -> None:
    image = FakeImage(tmp_path / "one")
    (item,) = referrers(image, 1)
    made = team("crane", 1, time.monotonic() + seconds)
    with made._turn(item), pytest.raises(NetworkError, match="--timeout"), made._turn(item):
        pass


class MovingWorker(FakeWorker):
    """A worker whose first push begins to update a tag; each push fails."""

    def __init__(self, moves: TagMoves, *, moved: bool | None) -> None:
        super().__init__(SharedBlobs().claims(), frozenset())
        self._moves = moves
        self._moved = moved

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        del image
        if self._moved is None:
            raise NetworkError("It is gone.")
        tag = Reference(repository, tags[0])
        self._moves.begin(tag)
        if self._moved:
            self._moves.end(tag, moved=True)
        self._moved = None
        raise NetworkError("It went.")


@pytest.mark.parametrize(
    ("moved", "said"), [(True, "was updated"), (False, "may have been updated")]
)
def test_a_later_attempt_says_what_an_earlier_one_did(
    tmp_path: Path, said: str, *, moved: bool
) -> None:
    moves = TagMoves()
    # the answer to another image
    moves.begin(Reference(Repository.of("registry.inside", "other"), "v1"))
    team = Workers(SharedBlobs(), "direct", None, moves)
    team.add(MovingWorker(moves, moved=moved))
    tag = Reference(Repository.of("registry.inside", "shop"), "v1")
    image = FakeImage(tmp_path)
    item = MirrorItem(source="a.tar", name="shop:v1", references=(tag,), size=1, open=lambda: image)
    with pytest.raises(NetworkError) as first:
        team.push(item)
    assert str(first.value) == "It went."
    with pytest.raises(NetworkError) as second:
        team.push(item)
    assert str(second.value) == f"It is gone. {tag} {said}."
