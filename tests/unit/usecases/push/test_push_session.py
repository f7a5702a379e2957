"""Several pushes with the options of one command line."""

import contextlib
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, LostCopyError, PushError
from dockless.model.options import PushOptions
from dockless.model.plan import BlobPlan, Plan, TagPlan
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST, Descriptor, compact_json
from dockless.oci.packing import GZIP, Packing
from dockless.oci.reference import Repository
from dockless.ports import Image
from dockless.registry.throughput import ThroughputRecords
from dockless.retry import RetryPolicy
from dockless.storage.oci_layout import write_layout
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs
from dockless.usecases.push.compression_choice import CompressionChooser
from dockless.usecases.push.context import PushContext
from dockless.usecases.push.push_session import PushSession
from dockless.usecases.push.streaming import EarlyLimits, StreamedUploads
from fakes.early import FakeEarlyUploads
from fakes.image import FakeImage
from fakes.journal import Journal
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry
from fakes.uploader import FakeUploader
from fakes.writer import FakeWriter

SHOP = Repository.of("registry.example.com", "team/shop")
OTHER = Repository.of("registry.example.com", "team/other")
ONCE = RetryPolicy(attempts=1, deadline=None, note=print)


class KnowingRegistry(FakeRegistry):
    def has(self, repository: Repository) -> bool:
        return repository in self.repositories


class Adapters:
    """What a session works with, as `SessionAdapters`, in memory."""

    def __init__(self, folder: Path, *, streams: bool = True) -> None:
        self.journal = Journal()
        self.registry = KnowingRegistry(self.journal)
        self.progress = FakeProgress()
        self.packing: Packing = GZIP
        self.lacks: Sequence[Digest] = ()
        self.uploads: list[StreamedUploads] = []
        self.client = self.registry
        self.direct = FakeWriter(self.registry, self.journal)
        self.direct.tagger = "direct"
        self.streamed = (
            StreamedUploads(SHOP, self.registry, FakeUploader(self.registry), EarlyLimits())
            if streams
            else None
        )
        self._folder = folder

    def open(self, repository: Repository) -> "Adapters":
        self.journal.step(f"open {repository.path}")
        return self

    def context(self, repository: Repository) -> PushContext:
        self.journal.step(f"context {repository.path}")
        return PushContext(
            registry=self.registry,
            early=FakeEarlyUploads(self.journal),
            writer=lambda: FakeWriter(self.registry, self.journal),
            direct=self.direct,
            lay_out=lambda content, blobs: write_layout(self._folder / "layout", content, blobs),
            progress=self.progress,
            retry_policy=ONCE,
            clock=lambda: 0.0,
        )

    def stream(self, uploads: StreamedUploads) -> None:
        self.uploads.append(uploads)

    def check_engine(self, repository: Repository) -> None:
        self.journal.step(f"check {repository.path}")

    def unlisted(self, repository: Repository, documents: Collection[bytes]) -> Sequence[Digest]:
        assert documents
        self.journal.step(f"unlisted {repository.path}")
        return self.lacks

    def settle_referrers(self) -> None:
        self.journal.step("settle")

    @contextlib.contextmanager
    def explained(self, repository: Repository) -> Iterator[None]:
        try:
            yield
        except PushError as error:
            raise error.with_context(remedy=f"Make {repository}.") from error

    @contextlib.contextmanager
    def deleting(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise LostCopyError("It was deleted.") from error


def session(
    adapters: Adapters,
    claims: BlobClaims | None = None,
    **options: Any,  # noqa: ANN401 - any
) -> PushSession:
    chosen = PushOptions(**options)
    records = ThroughputRecords(adapters._folder / "links")
    chooser = CompressionChooser(chosen, adapters, records, adapters.progress.note)
    return PushSession(chosen, adapters, chooser, ONCE, claims)


def soon() -> float:
    """Return when a wait for others ends that nobody ends."""
    return time.monotonic() + 60


@pytest.fixture
def adapters(tmp_path: Path) -> Adapters:
    return Adapters(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> FakeImage:
    return FakeImage(tmp_path / "blobs")


def test_an_image_is_chosen_once_the_registry_has_answered(
    adapters: Adapters, image: FakeImage
) -> None:
    def choose() -> Image:
        adapters.journal.step("choose")
        return image

    done = session(adapters).deliver(SHOP, ("v1",), choose)
    steps = adapters.journal.steps
    assert steps.index("open team/shop") < steps.index("check team/shop") < steps.index("choose")
    assert steps[-1] == "settle"
    assert adapters.uploads == [adapters.streamed]
    assert adapters.registry.repositories[SHOP].tags == {"v1": done.plan.content.root.digest}


def test_nothing_is_chosen_for_a_registry_that_refuses(adapters: Adapters) -> None:
    adapters.journal.on("open team/shop", AuthError("It wants a login."))
    with pytest.raises(AuthError):
        session(adapters).deliver(SHOP, ("v1",), lambda: pytest.fail("it was read"))


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_uploads_nothing(adapters: Adapters, image: FakeImage, *, dry_run: bool) -> None:
    session(adapters, dry_run=dry_run).deliver(SHOP, ("v1",), lambda: image)
    assert bool(adapters.uploads) == (not dry_run)
    assert ("settle" in adapters.journal.steps) == (not dry_run)
    assert bool(adapters.registry.repositories[SHOP].tags) == (not dry_run)


def test_nothing_is_streamed_where_the_writer_uploads(tmp_path: Path, image: FakeImage) -> None:
    adapters = Adapters(tmp_path, streams=False)
    session(adapters).deliver(SHOP, ("v1",), lambda: image)
    assert not adapters.uploads


def test_an_error_says_how_a_repository_is_made_and_names_no_zstd(
    adapters: Adapters, image: FakeImage
) -> None:
    adapters.journal.on("push", PushError("There is no repository."))
    with pytest.raises(PushError) as caught:
        session(adapters).push(SHOP, ("v1",), image)
    assert caught.value.remedy == f"Make {SHOP}."
    assert "settle" not in adapters.journal.steps


def test_a_registry_that_refuses_zstd_gets_gzip_the_next_time(
    adapters: Adapters, image: FakeImage
) -> None:
    adapters.journal.on("push", PushError("manifest invalid"))
    with pytest.raises(PushError, match="manifest invalid") as caught:
        session(adapters, compression="auto").push(SHOP, ("v1",), image)
    assert adapters.packing.compression == "zstd"
    assert "gzip" in caught.value.remedy


def test_what_is_deleted_before_a_push_is_a_lost_copy(adapters: Adapters, image: FakeImage) -> None:
    adapters.journal.on("context team/shop", FileNotFoundError(2, "gone", "x"))
    with pytest.raises(LostCopyError):
        session(adapters).push(SHOP, ("v1",), image)


class Referrer(FakeImage):
    """An image that refers to another one."""

    def content(self) -> Content:
        plain = super().content()
        subject = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(b"x"), size=1)
        members = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": plain.blobs[0].to_json(),
            "layers": [],
            "subject": subject.to_json(),
        }
        data = compact_json(members)
        root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data))
        return replace(plain, root=root, documents={root.digest: data}, blobs=plain.blobs[:1])


@pytest.mark.parametrize(("engine", "told"), [("crane", True), ("skopeo", True), ("auto", False)])
def test_what_a_program_does_not_list_is_told(
    adapters: Adapters, tmp_path: Path, engine: str, *, told: bool
) -> None:
    adapters.lacks = [Digest.of(b"y")]
    work = session(adapters, engine=engine)
    work.push(SHOP, ("v1",), Referrer(tmp_path / "blobs"))
    assert [f"{engine} did not list" in note for note in adapters.progress.notes] == [True] * told
    asked = adapters.journal.steps.count("unlisted team/shop")
    work.push(SHOP, ("v1",), Referrer(tmp_path / "blobs"))
    assert adapters.journal.steps.count("unlisted team/shop") == asked == told


@pytest.mark.parametrize("fails", [True, False])
def test_a_mirror_learns_what_arrived_and_settles_at_its_end(
    adapters: Adapters, image: FakeImage, *, fails: bool
) -> None:
    shared = SharedBlobs()
    claims = shared.claims()
    blobs = [blob.digest for blob in image.content().blobs]
    claims.reserve(SHOP.host, blobs)
    adapters.journal.on("push", PushError("It broke.") if fails else None)
    with pytest.raises(PushError) if fails else contextlib.nullcontext():
        session(adapters, claims).push(SHOP, ("v1",), image)
    assert "settle" not in adapters.journal.steps
    assert [claims.saw(SHOP, digest) for digest in blobs] == [not fails] * len(blobs)
    # nobody waits for what failed
    assert shared.claims().claim(SHOP.host, blobs, soon()) == (
        {} if fails else dict.fromkeys(blobs, SHOP)
    )


def test_claims_that_were_reserved_are_taken_over(adapters: Adapters) -> None:
    shared, digests = SharedBlobs(), [Digest.of(b"x")]
    reserved, claims = shared.claims(), shared.claims()
    reserved.reserve(SHOP.host, digests)
    session(adapters, claims).take_over(reserved)
    reserved.done(SHOP, ())
    assert claims.claim(SHOP.host, digests, soon()) == {}
    session(adapters).take_over(reserved)


@pytest.mark.parametrize("check_blobs", [True, False])
def test_an_image_that_is_there_already_lends_its_blobs(
    adapters: Adapters, image: FakeImage, *, check_blobs: bool
) -> None:
    shared, content = SharedBlobs(), image.content()
    claims = shared.claims()
    blobs = [blob.digest for blob in content.blobs]
    work = session(adapters, check_blobs=check_blobs)
    work.look(SHOP, ("v1",), image, claims)
    assert shared.claims().claim(SHOP.host, blobs, soon()) == {}
    adapters.registry.hold(SHOP, content, "v1")
    adapters.registry.repositories[SHOP].blobs.discard(blobs[-1])
    lent = shared.claims()
    work.look(SHOP, ("v1",), image, lent)
    seen = [*([True] * (len(blobs) - 1)), False]
    assert [lent.saw(SHOP, digest) for digest in blobs] == (
        seen if check_blobs else [False] * len(blobs)
    )


def test_whether_a_repository_is_there_is_asked(adapters: Adapters, image: FakeImage) -> None:
    adapters.registry.hold(SHOP, image.content())
    work = session(adapters)
    assert (work.has(SHOP), work.has(OTHER)) == (True, False)


@pytest.mark.parametrize(("way", "tagger"), [("relay", "fake"), ("invoke", "direct")])
def test_tags_of_what_a_host_pushed_are_moved_from_here(
    adapters: Adapters, image: FakeImage, way: str, tagger: str
) -> None:
    content = image.content()
    adapters.registry.hold(SHOP, content)
    moved: list[str] = []
    adapters.direct.tag = lambda *_: moved.append("direct")  # type: ignore[method-assign] # noted
    plan = Plan(
        repository=SHOP,
        content=content,
        blobs=tuple(BlobPlan(blob, present=True) for blob in content.blobs),
        tags=(TagPlan("v1", None, content.root.digest),),
        digest_is_new=False,
        packing=GZIP,
    )
    work = session(adapters, verify=False)
    work.move_tags_of(plan, way)
    tags = adapters.registry.repositories[SHOP].tags
    assert moved == (["direct"] if tagger == "direct" else [])
    assert tags == ({} if tagger == "direct" else {"v1": content.root.digest})
