import contextlib
import copy
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from dockless.concurrency import alone
from dockless.errors import (
    AuthError,
    ConflictError,
    ContentRefusedError,
    DamagedManifestError,
    DocklessError,
    ImmutableTagError,
    LostCopyError,
    ManifestRefusedError,
    NetworkError,
    PushError,
    RepositoryMissingError,
    ServerError,
    UnclearAnswerError,
    UnexplainedError,
)
from dockless.model.counts import number
from dockless.model.plan import PushResult, TagMoves
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.docker_manifest import NoDockerFormError, docker_form
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from dockless.retry import RetryPolicy, SharedBackoff
from dockless.storage.oci_layout import write_layout
from dockless.usecases.push.context import Copy, PushContext, PushRequest
from dockless.usecases.push.manifest_format import ManifestFormat
from dockless.usecases.push.push import push
from fakes.early import FakeEarlyUploads
from fakes.image import FakeImage
from fakes.journal import Journal
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry, Held
from fakes.writer import FakeWriter

if TYPE_CHECKING:
    from concurrent.futures import Future

REPOSITORY = Repository.of("registry.example.com", "team/shop")
OTHER = Digest("sha256", "e" * 64)
BUSY = NetworkError("It is busy.", retry_after=0.0)
WAITS = NetworkError("It asks for patience.", busy=True)
BROKEN = ServerError("It cannot read this.")
FIRST_PUSH = [
    {"tag v1", "tag v2"},
    *({"content"}, {"present"}, {"paths"}, {"upload"}, {"push"}),
    {"manifest", "present"},
    *({"move v1"}, {"tag v1"}, {"move v2"}, {"tag v2"}),
]
"""What is done, in this order; what stands together is asked at once."""


class Resending:
    """What writes once more what was lost, as a `ports.ImageWriter`."""

    tagger = "direct"

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        self._shop.journal.step("resend")
        assert image.missing == frozenset(image.blobs), "it asks for nothing"
        sending.advance(0)
        self._shop.resent.append(frozenset(image.blobs))
        self._shop.registry.hold(repository, image.content)
        return Written(writer=self.tagger)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        raise AssertionError((content, repository, tag))


@dataclass(slots=True)
class Shop:
    """An image, a registry, and everything between them."""

    folder: Path
    attempts: int = 3
    journal: Journal = field(default_factory=Journal)
    progress: FakeProgress = field(default_factory=FakeProgress)
    sleep: Callable[[float], None] = lambda _: None
    shared_backoff: SharedBackoff = field(default_factory=SharedBackoff)
    format: ManifestFormat = field(default_factory=ManifestFormat)
    refusals: int = 0
    proof: "Proof | None" = None
    may_resend: bool = True
    resent: list[frozenset[Digest]] = field(default_factory=list)
    layouts: list[Path] = field(default_factory=list)
    moves: TagMoves = field(default_factory=TagMoves)
    mislabelled: Callable[[Path, Descriptor], str] = lambda path, blob: ""  # noqa: ARG005
    registry: FakeRegistry = field(init=False)
    image: FakeImage = field(init=False)
    early: FakeEarlyUploads = field(init=False)
    writer: FakeWriter = field(init=False)

    def __post_init__(self) -> None:
        self.registry = FakeRegistry(self.journal)
        self.image = FakeImage(self.folder / "blobs", journal=self.journal)
        self.early = FakeEarlyUploads(self.journal)
        self.writer = FakeWriter(self.registry, self.journal)

    @property
    def content(self) -> Content:
        return FakeImage(self.folder).content()

    @property
    def held(self) -> Held:
        return self.registry.repositories[REPOSITORY]

    def push(self, *tags: str, **request: bool) -> PushResult:
        return push(
            PushRequest(repository=REPOSITORY, tags=tags or ("v1",), **request),
            self.image,
            self.context(),
        )

    def context(self) -> PushContext:
        def laid_out(content: Content, blobs: Mapping[Digest, Path]) -> Path:
            folder = self.folder / f"layout-{len(self.layouts)}"
            self.layouts.append(write_layout(folder, content, blobs))
            return self.layouts[-1]

        return PushContext(
            registry=self.registry,
            early=self.early,
            writer=lambda: self.writer,
            direct=Resending(self) if self.may_resend else None,
            lay_out=laid_out,
            progress=self.progress,
            retry_policy=RetryPolicy(
                attempts=self.attempts,
                deadline=None,
                note=self.progress.note,
                sleep=self.sleep,
                shared_backoff=self.shared_backoff,
            ),
            clock=itertools.chain((10.0, 12.5), itertools.count(13.0)).__next__,
            manifest_format=replace(self.format, learn=self.learn, say=self.progress.note),
            moves=self.moves,
            prove=self.proof or (lambda copies, *, read: None),  # noqa: ARG005
            mislabelled=self.mislabelled,
        )

    def learn(self, *, takes_oci: bool) -> None:
        self.refusals += not takes_oci


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_first_push_sends_by_digest_reads_back_and_only_then_moves_the_tags(shop: Shop) -> None:
    result = shop.push("v1", "v2")
    root = shop.content.root.digest
    steps = iter(shop.journal.steps)
    assert [set(itertools.islice(steps, len(phase))) for phase in FIRST_PUSH] == FIRST_PUSH
    assert not list(steps)
    assert shop.held.tags == {"v1": root, "v2": root}
    assert shop.held.manifests == shop.content.documents
    assert (result.digest, result.verified, result.unchanged) == (root, True, False)
    assert (result.engine, result.attempts, result.seconds) == ("fake", 1, 2.5)
    assert result.sent == sum(blob.size for blob in shop.content.blobs)


@pytest.mark.parametrize("steps", range(sum(map(len, FIRST_PUSH))))
def test_a_push_that_breaks_anywhere_leaves_no_tag_on_an_incomplete_image(
    shop: Shop, steps: int
) -> None:
    shop.journal.fails_from = steps
    with pytest.raises(ConnectionAbortedError):
        shop.push("v1", "v2")
    complete = {blob.digest for blob in shop.content.blobs} <= shop.held.blobs
    for digest in shop.held.tags.values():
        assert digest in shop.held.manifests
        assert complete


def test_a_warm_push_asks_for_the_tags_and_does_nothing_else(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1", "v2")
    result = shop.push("v1", "v2")
    assert sorted(shop.journal.steps[:2]) == ["tag v1", "tag v2"]
    assert shop.journal.steps[2:] == ["content"]
    assert (result.unchanged, result.verified, result.engine, result.sent) == (True, False, "", 0)
    assert not result.plan.missing
    assert "push" not in shop.journal.steps


def test_an_image_of_a_known_digest_that_every_tag_names_is_not_read_at_all(shop: Shop) -> None:
    shop.image.known_digest = shop.content.root.digest
    shop.registry.hold(REPOSITORY, shop.content, "v1", "v2")
    result = shop.push("v1", "v2")
    assert shop.journal.steps[2:] == ["manifest"]
    assert (result.unchanged, result.digest) == (True, shop.content.root.digest)
    assert not result.plan.missing


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_a_registry_lost_behind_a_tag_is_sent_again_where_that_is_asked(
    shop: Shop, place: int, *, known: bool, verify: bool
) -> None:
    root = shop.content.root.digest
    shop.image.known_digest = root if known else None
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    lost = shop.content.blobs[place].digest
    shop.held.blobs.discard(lost)
    unasked = shop.push("v1")
    assert (unasked.unchanged, unasked.checked) == (True, False)
    result = shop.push("v1", check_blobs=True, verify=verify)
    assert shop.held.blobs == {blob.digest for blob in shop.content.blobs}
    assert (result.unchanged, result.checked, result.digest) == (False, True, root)
    assert [blob.digest for blob in result.plan.missing] == [lost]
    assert not [step for step in shop.journal.steps if step.startswith("move")]


@pytest.mark.parametrize(("place", "length"), [(0, 1), (1, 0), (2, 10**9)])
@pytest.mark.parametrize("tags", [("v1",), ("v2",), ("v1", "v2")])
def test_a_blob_of_another_length_is_sent_again(
    shop: Shop, place: int, length: int, tags: tuple[str, ...]
) -> None:
    root = shop.content.root.digest
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    damaged = shop.content.blobs[place]
    shop.held.lengths[damaged.digest] = length
    result = shop.push(*tags, check_blobs=True)
    assert not shop.held.lengths
    assert (result.checked, result.digest) == (True, root)
    assert result.plan.missing == (damaged,)
    assert shop.held.tags == {"v1": root, **dict.fromkeys(tags, root)}
    said = f"{number(length, 'byte')} in place of {damaged.size}. It has to be uploaded again."
    assert [note for note in shop.progress.notes if note.endswith(said)]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("tag", ["v1", "v2"])
def test_a_registry_that_keeps_a_damaged_copy_is_named_with_what_helps(
    shop: Shop, place: int, tag: str
) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    damaged = shop.content.blobs[place].digest

    def keep() -> None:
        shop.held.lengths[damaged] = 10**6

    shop.journal.on("present", *[keep] * 9)
    with pytest.raises(
        PushError, match=f"damaged copy of the blob {damaged}.*: 1000000 bytes"
    ) as caught:
        shop.push(tag, check_blobs=True)
    assert "has to delete the blob there" in caught.value.remedy
    assert "No tag was changed" in caught.value.remedy
    assert "v2" not in shop.held.tags


@pytest.mark.parametrize("length", [0, 7, 10**6])
def test_a_manifest_of_another_length_is_sent_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    monkeypatch.setattr(shop.registry, "said_length", lambda *_: length)
    shop.journal.on("manifest", DamagedManifestError("It lies."))
    result = shop.push("v1", check_blobs=True)
    assert (result.unchanged, result.checked, result.attempts) == (False, True, 1)
    assert shop.held.manifests == shop.content.documents


@pytest.mark.parametrize("immutable", [True, False])
def test_two_pushes_to_one_tag_move_it_one_after_the_other(
    tmp_path: Path, *, immutable: bool
) -> None:
    one, other = Shop(tmp_path / "1"), Shop(tmp_path / "2")
    for shop in (one, other):
        shop.folder.mkdir()
    other.image = FakeImage(tmp_path / "blobs", (b"another",), other.journal)
    other.registry.repositories = one.registry.repositories
    lock, waits = threading.Lock(), threading.Event()

    @contextlib.contextmanager
    def turn(name: str) -> Iterator[None]:
        assert name.startswith("tag-")
        if lock.locked():
            waits.set()
        with lock:
            yield

    def pushed(shop: Shop) -> PushResult:
        request = PushRequest(repository=REPOSITORY, tags=("v1",), immutable=immutable)
        return push(request, shop.image, replace(shop.context(), turn=turn))

    seconds: list[Future[PushResult]] = []

    def meanwhile() -> None:
        seconds.append(alone(lambda: pushed(other)))
        assert waits.wait(30)

    one.journal.on("move v1", meanwhile)
    assert pushed(one).verified
    if immutable:
        with pytest.raises(ConflictError):
            seconds[0].result(30)
    else:
        assert seconds[0].result(30).verified
    winner = one if immutable else other
    assert one.held.tags == {"v1": winner.image.content().root.digest}


def test_a_dry_run_tells_what_a_registry_lost(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    lost = {blob.digest for blob in shop.content.blobs[1:]}
    shop.held.blobs -= lost
    result = shop.push("v1", check_blobs=True, dry_run=True)
    assert {blob.digest for blob in result.plan.missing} == lost
    assert (result.unchanged, result.checked) == (False, False)
    assert not shop.held.blobs & lost


def test_what_is_whole_is_asked_for_and_left_alone(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    result = shop.push("v1", check_blobs=True)
    assert shop.journal.steps == ["tag v1", "content", "manifest", "present"]
    assert (result.unchanged, result.checked, result.engine) == (True, True, "")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_engine_that_sends_nothing_again_is_not_believed(shop: Shop, place: int) -> None:
    shop.may_resend = False
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    lost = shop.content.blobs[place].digest
    shop.held.blobs.discard(lost)
    answers = [None, None, None, lambda: shop.held.blobs.discard(lost)]
    shop.journal.on("present", *answers[1:])
    with pytest.raises(PushError, match="does not have the blob") as error:
        shop.push("v1", check_blobs=True)
    assert "without --engine" in error.value.remedy


LIES = DamagedManifestError("It sends another manifest.", "Do not trust it.")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("tags", [("v1",), ("v1", "v2"), ()])
def test_a_damaged_manifest_behind_its_tags_is_sent_again(
    shop: Shop, tags: tuple[str, ...], *, known: bool, verify: bool
) -> None:
    root = shop.content.root.digest
    shop.image.known_digest = root if known else None
    shop.registry.hold(REPOSITORY, shop.content, "v1", "v2")
    # read for the tags of a known digest, for the comparison, and before it is sent
    shop.journal.on("manifest", *[LIES] * (3 if known and tags else 2))
    request = PushRequest(repository=REPOSITORY, tags=tags, verify=verify, check_blobs=True)
    result = push(request, shop.image, shop.context())
    # what had no tag was simply missing, and is read back where that is asked
    assert (result.unchanged, result.checked) == (False, verify or bool(tags))
    assert result.digest == root
    assert shop.journal.steps.count("push") == 1


@pytest.mark.parametrize("fault", [LIES, BROKEN])
@pytest.mark.parametrize("tag", ["v1", "v2"])
def test_a_registry_that_keeps_a_damaged_manifest_is_named_with_what_helps(
    shop: Shop, fault: DocklessError, tag: str
) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    shop.journal.on("manifest", *[fault] * 40)
    with pytest.raises(PushError, match="also after it was sent again") as caught:
        shop.push(tag, check_blobs=True)
    assert (type(caught.value), caught.value.exit_code) == (PushError, 1)
    # one that only fails to answer says nothing of what it has
    assert ("delete the content of this digest" in caught.value.remedy) == (fault is LIES)
    assert ("could not be read back" in caught.value.what) == (fault is BROKEN)
    assert "No tag was changed" in caught.value.remedy
    assert shop.resent
    assert "v2" not in shop.held.tags


@pytest.mark.parametrize("fault", [LIES, BROKEN, None], ids=["lies", "fails", "loses"])
@pytest.mark.parametrize("ended", [True, False], ids=["moved", "unknown"])
def test_what_an_earlier_attempt_did_to_the_tag_is_said(
    shop: Shop, fault: DocklessError | None, *, ended: bool
) -> None:
    shop.moves.begin(Reference(REPOSITORY, "v1"))
    if ended:
        shop.moves.end(Reference(REPOSITORY, "v1"), moved=True)
    shop.journal.on("manifest", *[fault or (lambda: _loses_manifest(shop.held))] * 40)
    with pytest.raises(PushError) as caught:
        shop.push("v1")
    assert "No tag was changed" not in str(caught.value)
    said = "was updated." if ended else "may have been updated."
    assert f"{REPOSITORY}:v1 {said}" in caught.value.remedy


def test_a_program_that_sends_no_manifest_again_is_named(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    shop.may_resend = False
    shop.journal.on("manifest", *[LIES] * 9)
    with pytest.raises(PushError, match="another manifest") as caught:
        shop.push("v1", check_blobs=True)
    assert "without --engine" in caught.value.remedy


@pytest.mark.parametrize("lost", ["tag", "manifest", "answers"])
def test_an_image_of_a_known_digest_is_read_where_the_registry_lacks_any_of_it(
    shop: Shop, lost: str
) -> None:
    root = shop.image.known_digest = shop.content.root.digest
    shop.registry.hold(REPOSITORY, shop.content, "v1", "v2")
    match lost:
        case "tag":
            shop.held.tags.pop("v2")
        case "manifest":
            shop.held.manifests.pop(root)
        case _:
            shop.journal.on("manifest", *[BUSY] * shop.attempts)
    result = shop.push("v1", "v2")
    assert "content" in shop.journal.steps
    assert result.unchanged == (lost != "tag")
    assert shop.held.tags["v2"] == root


def test_an_image_that_is_there_under_another_tag_is_not_sent_again(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    result = shop.push("v2")
    assert not {"paths", "upload", "push"} & set(shop.journal.steps)
    assert shop.held.tags["v2"] == shop.content.root.digest
    assert (result.sent, result.attempts, result.verified) == (0, 0, True)


def test_a_tag_that_is_right_already_is_left_alone(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    shop.push("v1", "v2")
    assert [step for step in shop.journal.steps if step.startswith("move")] == ["move v2"]


def test_only_what_the_registry_lacks_and_the_config_is_laid_out(shop: Shop) -> None:
    config, base, app = shop.content.blobs
    shop.held.blobs |= {config.digest, base.digest}
    result = shop.push()
    laid_out = {path.name for path in shop.layouts[0].glob("blobs/sha256/*")}
    assert laid_out == {shop.content.root.digest.hex, config.digest.hex, app.digest.hex}
    assert result.plan.missing == (app,)
    assert shop.early.wanted == [{app.digest}]
    assert shop.early.learned == {config.digest: True, base.digest: True, app.digest: False}
    assert [task.total for task in shop.progress.tasks] == [app.size]
    assert result.sent == app.size


def test_a_dry_run_only_reads_and_tells_what_it_would_do(shop: Shop) -> None:
    config, base, app = shop.content.blobs
    shop.held.blobs.add(base.digest)
    shop.held.tags["v1"] = OTHER
    result = shop.push("v1", "v2", dry_run=True)
    assert sorted(shop.journal.steps[:2]) == ["tag v1", "tag v2"]
    assert shop.journal.steps[2:] == ["content", "present"]
    assert "push" not in shop.journal.steps
    assert result.plan.missing == (config, app)
    assert [tag.action for tag in result.plan.tags] == ["move", "create"]
    assert (result.dry_run, result.verified, result.unchanged) == (True, False, False)


def test_a_refused_credential_costs_no_compression(shop: Shop) -> None:
    shop.journal.on("tag v1", AuthError("Refused."))
    with pytest.raises(AuthError):
        shop.push()
    assert "content" not in shop.journal.steps


def test_under_immutable_a_tag_with_another_digest_stops_the_push_before_it_begins(
    shop: Shop,
) -> None:
    shop.held.tags["v2"] = OTHER
    with pytest.raises(ConflictError, match="shop:v2 exists"):
        shop.push("v1", "v2", immutable=True)
    assert shop.held.tags == {"v2": OTHER}
    assert not shop.held.blobs
    assert "push" not in shop.journal.steps


@pytest.mark.parametrize("before", [None, "same"])
def test_under_immutable_a_new_tag_and_the_same_digest_are_no_conflict(
    shop: Shop, before: str | None
) -> None:
    if before:
        shop.registry.hold(REPOSITORY, shop.content, "v1")
    shop.push(immutable=True)
    assert shop.held.tags == {"v1": shop.content.root.digest}


def test_under_immutable_a_tag_that_appears_during_the_push_is_not_moved(shop: Shop) -> None:
    shop.journal.on("tag v1", None, lambda: shop.held.tags.update(v1=OTHER))
    with pytest.raises(ConflictError):
        shop.push(immutable=True)
    assert shop.held.tags == {"v1": OTHER}


@pytest.mark.parametrize("tag", ["v1", "v2"])
@pytest.mark.parametrize("error", [ConflictError("Taken."), AuthError("Denied.")])
def test_an_error_says_which_tags_moved_before_it(
    shop: Shop, tag: str, error: ConflictError | AuthError
) -> None:
    shop.journal.on(f"move {tag}", error)
    with pytest.raises(type(error)) as caught:
        shop.push("v1", "v2")
    assert ("Updated before: v1" in str(caught.value)) == (tag == "v2")


def refusing(error: DocklessError) -> DocklessError:
    """Return an error that shows that the PUT of the tag was refused."""
    error.refuses_put = True
    return error


REFUSED_TAGS = [
    refusing(AuthError("403: needs DELETE permission.")),
    refusing(PushError("400: it says nothing.")),
    refusing(ManifestRefusedError("400: manifest invalid.")),
    refusing(UnexplainedError("crane: TAG_INVALID.")),
]
NOT_OF_THE_TAG = [
    PushError("418: I'm a teapot."),
    AuthError("401: who are you?"),
    ManifestRefusedError("415: it has no such type."),
    RepositoryMissingError("404: name unknown."),
    refusing(RepositoryMissingError("400: name unknown.")),
    refusing(ContentRefusedError("403: the quota is exceeded.")),
    UnexplainedError("skopeo: reading manifest sha256:1d51: manifest unknown."),
]


@pytest.mark.parametrize("error", REFUSED_TAGS)
def test_a_tag_that_is_refused_and_names_another_image_is_a_conflict(
    shop: Shop, error: Exception
) -> None:
    shop.held.tags["v2"] = OTHER
    shop.journal.on("move v2", copy.copy(error))
    with pytest.raises(ImmutableTagError) as caught:
        shop.push("v1", "v2")
    assert caught.value.exit_code == 5
    assert f"{REPOSITORY}:v2 exists and refers to {OTHER}" in caught.value.what
    assert f"the registry refuses to move it: {error}" in caught.value.what
    assert "Updated before: v1" in caught.value.what
    assert shop.held.tags == {"v1": shop.content.root.digest, "v2": OTHER}


@pytest.mark.parametrize("error", NOT_OF_THE_TAG)
def test_what_does_not_show_that_the_tag_was_refused_is_no_conflict(
    shop: Shop, error: DocklessError
) -> None:
    shop.held.tags["v1"] = OTHER
    shop.journal.on("move v1", copy.copy(error))
    with pytest.raises(type(error)) as caught:
        shop.push()
    assert str(caught.value) == str(error)
    assert caught.value.exit_code != 5
    assert str(shop.moves) == "No tag was changed."


@pytest.mark.parametrize("error", [*REFUSED_TAGS, ContentRefusedError("The quota is exceeded.")])
@pytest.mark.parametrize("there", [True, False])
def test_a_refusal_for_another_reason_stays_what_it_is(
    shop: Shop, error: Exception, *, there: bool
) -> None:
    other = isinstance(error, ContentRefusedError)
    if there and other:
        shop.held.tags["v1"] = OTHER
    shop.journal.on("move v1", copy.copy(error))
    with pytest.raises(type(error)) as caught:
        shop.push()
    assert str(caught.value) == str(error)
    assert str(shop.moves) == "No tag was changed."


def test_an_account_that_wrote_nothing_before_may_write_nothing_at_all(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, shop.content, "v1")
    shop.held.tags["v2"] = OTHER
    shop.journal.on("move v2", AuthError("403: denied."))
    with pytest.raises(AuthError):
        shop.push("v2")


def test_a_tag_that_another_push_of_the_same_image_made_is_right(shop: Shop) -> None:
    error = ImmutableTagError("It already exists.")
    shop.journal.on("move v1", _moves_all_the_same(shop, error))
    assert shop.push().verified


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (None, None),
        (AuthError("403: UNKNOWN: no."), AuthError),
        (PushError("404: UNKNOWN: no."), PushError),
        (NetworkError("500: UNKNOWN: no.", passing=False), NetworkError),
    ],
)
def test_what_a_program_cannot_tell_dockless_sends_itself(
    shop: Shop, answer: DocklessError | None, ends: type[DocklessError] | None
) -> None:
    shop.journal.on("push", *[UnclearAnswerError("crane: UNKNOWN: no.")] * 3)
    shop.journal.on("resend", answer)
    if ends is None:
        assert shop.push().verified
    else:
        with pytest.raises(ends) as caught:
            shop.push()
        assert str(caught.value) == str(answer)
    assert shop.journal.steps.count("push") == 1


LOST = NetworkError("The answer came too late.", passing=False)
ODD = UnexplainedError("The program failed.")


def _moves_all_the_same(shop: Shop, error: Exception) -> Callable[[], None]:
    """Return a move that is made, and whose answer is lost."""
    error = copy.copy(error)

    def move() -> None:
        shop.held.tags["v1"] = shop.content.root.digest
        raise error

    return move


@pytest.mark.parametrize("error", [LOST, ODD, PushError("Status 418.")])
def test_a_move_whose_answer_was_lost_is_a_move(shop: Shop, error: Exception) -> None:
    shop.journal.on("move v1", _moves_all_the_same(shop, error))
    assert shop.push().verified
    assert str(shop.moves) == f"{REPOSITORY}:v1 was updated."


@pytest.mark.parametrize("error", [LOST, ODD, PushError("Status 418.")])
@pytest.mark.parametrize("moves", [True, False], ids=["moved", "unmoved"])
def test_a_move_of_which_nobody_can_say_how_it_ended_is_said_to_be_one(
    shop: Shop, error: Exception, *, moves: bool
) -> None:
    shop.attempts = 1
    shop.journal.on("move v1", _moves_all_the_same(shop, error) if moves else copy.copy(error))
    shop.journal.on("tag v1", None, NetworkError("Gone."))
    with pytest.raises(type(error)) as caught:
        shop.push()
    said = f"{REPOSITORY}:v1 may have been updated"
    assert f"{said} to {shop.content.root.digest}." in str(caught.value)
    assert str(shop.moves) == f"{said}."
    assert "No tag was changed" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [LOST, ODD, PushError("Status 418."), AuthError("Denied."), ConflictError("Taken.")]
)
def test_a_move_that_was_not_made_is_said_to_be_none(shop: Shop, error: Exception) -> None:
    shop.attempts = 1
    shop.journal.on("move v1", copy.copy(error))
    with pytest.raises(type(error)) as caught:
        shop.push()
    assert "may have been" not in str(caught.value)
    assert str(shop.moves) == "No tag was changed."


@pytest.mark.parametrize("error", [LOST, ServerError("It fails."), PushError("It is a web page.")])
def test_a_read_back_that_fails_takes_no_move_back(shop: Shop, error: Exception) -> None:
    shop.attempts = 1
    shop.journal.on("tag v1", None, copy.copy(error))
    with pytest.raises(type(error)) as caught:
        shop.push()
    assert f"{REPOSITORY}:v1 was updated to {shop.content.root.digest} before" in str(caught.value)
    assert str(shop.moves) == f"{REPOSITORY}:v1 was updated."


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("push", "No tag was changed."),
        ("move v1", "team/shop:v1 may have been updated."),
        ("move v2", "team/shop:v1 was updated. registry.example.com/team/shop:v2 may have been"),
    ],
)
def test_an_interrupt_finds_what_was_moved(shop: Shop, step: str, said: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    shop.journal.on(step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        shop.push("v1", "v2")
    assert said in str(shop.moves)


def _loses_manifest(held: Held) -> None:
    held.manifests.clear()


def _alters_manifest(held: Held) -> None:
    held.manifests = {digest: data + b"\n" for digest, data in held.manifests.items()}


def _loses_blob(held: Held) -> None:
    held.blobs.pop()


@pytest.mark.parametrize(
    ("step", "damage"),
    [("manifest", _loses_manifest), ("manifest", _alters_manifest), ("present", _loses_blob)],
)
def test_a_registry_that_did_not_keep_the_image_gets_no_tag(
    shop: Shop, step: str, damage: Callable[[Held], None]
) -> None:
    shop.may_resend = False
    before = [None] if step == "present" else []  # that is asked once before there is anything
    shop.journal.on(step, *before, lambda: damage(shop.held))
    with pytest.raises(PushError, match="after the push"):
        shop.push()
    assert not shop.held.tags


def test_a_tag_that_names_something_else_after_it_was_moved_is_an_error(shop: Shop) -> None:
    shop.journal.on("tag v2", None, lambda: shop.held.tags.update(v2=OTHER))
    with pytest.raises(PushError, match=f"shop:v2 refers to {OTHER}") as caught:
        shop.push("v1", "v2")
    assert "Updated before: v1" in str(caught.value)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
@pytest.mark.parametrize("error", [None, LOST, PushError("Status 418.")])
def test_a_tag_whose_manifest_the_registry_identifies_by_another_algorithm_is_right(
    shop: Shop, algorithm: str, error: Exception | None
) -> None:
    root = shop.content.root.digest
    computed = Digest(algorithm, hashlib.new(algorithm, shop.content.documents[root]).hexdigest())
    if error:
        shop.journal.on("move v1", _moves_all_the_same(shop, error))
    shop.journal.on("tag v1", None, *[lambda: shop.held.tags.update(v1=computed)] * 2)
    assert shop.push().verified
    said = f"shop:v1 refers to {computed}, as the registry identifies {root} by another"
    assert any(said in note for note in shop.progress.notes)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_tag_of_other_content_is_an_error_whatever_the_algorithm(
    shop: Shop, algorithm: str
) -> None:
    other = Digest(algorithm, hashlib.new(algorithm, b"other").hexdigest())
    shop.journal.on("tag v1", None, lambda: shop.held.tags.update(v1=other))
    with pytest.raises(PushError, match=f"shop:v1 refers to {other}"):
        shop.push()


def test_without_verification_nothing_is_read_back_and_the_result_says_so(shop: Shop) -> None:
    result = shop.push(verify=False)
    assert shop.journal.steps[-2:] == ["push", "move v1"]
    assert not result.verified


@pytest.mark.parametrize("check_blobs", [True, False])
@pytest.mark.parametrize("tags", [("v1",), ("v1", "v2"), ()])
def test_only_what_the_registry_confirmed_is_checked(
    shop: Shop, tags: tuple[str, ...], *, check_blobs: bool
) -> None:
    assert not shop.push(*tags, verify=False, check_blobs=check_blobs).checked
    assert shop.push(*tags, "v3", check_blobs=check_blobs).checked


def test_a_push_that_fails_on_the_network_is_tried_again(shop: Shop) -> None:
    shop.journal.on("push", BUSY, BUSY)
    result = shop.push()
    assert result.attempts == 3
    assert shop.held.tags == {"v1": shop.content.root.digest}
    assert shop.journal.steps.count("paths") == 1
    assert len(shop.progress.notes) == 2


def test_a_registry_that_keeps_an_engine_waiting_is_asked_once_for_how_long(shop: Shop) -> None:
    shop.journal.on("push", WAITS)
    shop.journal.on("manifest", NetworkError("Wait.", retry_after=7.0))
    shop.push()
    assert ["in 7.0 s" in note for note in shop.progress.notes] == [True]
    assert shop.journal.steps.count("push") == 2


def test_without_an_answer_to_that_the_wait_is_a_second_and_doubles(shop: Shop) -> None:
    waits: list[float] = []
    shop.sleep = waits.append
    shop.journal.on("push", WAITS, WAITS)
    shop.push()
    first, second = waits
    assert first >= 1
    assert second >= 2


@pytest.mark.parametrize("step", ["tag v1", "present", "manifest", "push", "move v1"])
def test_every_step_survives_one_failure_of_the_network(shop: Shop, step: str) -> None:
    shop.journal.on(step, BUSY)
    shop.push()
    assert shop.held.tags == {"v1": shop.content.root.digest}


@pytest.mark.parametrize(
    ("error", "pushes"), [(BUSY, 3), (PushError("Broken."), 1), (AuthError("Denied."), 1)]
)
def test_a_push_that_cannot_succeed_moves_no_tag_and_ends_its_progress(
    shop: Shop, error: NetworkError | PushError | AuthError, pushes: int
) -> None:
    shop.journal.on("push", error, error, error)
    with pytest.raises(type(error)):
        shop.push()
    assert shop.journal.steps.count("push") == pushes
    assert not shop.held.tags
    assert all(task.finished for task in shop.progress.tasks)


@pytest.mark.parametrize("step", ["tag v1", "present", "manifest"])
def test_what_the_registry_only_fails_to_read_is_taken_as_not_there(shop: Shop, step: str) -> None:
    shop.attempts = 9
    shop.journal.on(step, BROKEN, BROKEN, BROKEN)
    result = shop.push()
    assert result.plan.missing
    assert shop.held.tags == {"v1": shop.content.root.digest}


def test_only_the_blobs_that_cannot_be_read_are_taken_as_not_there(shop: Shop) -> None:
    shop.attempts = 2
    broken, *_ = shop.content.blobs
    shop.held.blobs |= {blob.digest for blob in shop.content.blobs}
    # all of them, twice, and then the first of them, twice
    shop.journal.on("present", *[BROKEN] * 4)
    assert shop.push().plan.missing == (broken,)


def test_what_the_registry_cannot_read_is_sent_without_a_question(shop: Shop) -> None:
    missing = {blob.digest for blob in shop.content.blobs}
    there = shop.content.blobs[-1].digest
    shop.journal.on("push", lambda: _arrives_and_fails(shop, there))
    shop.journal.on("manifest", BROKEN)
    assert shop.push().attempts == 1
    assert shop.resent == [missing - {there}]
    assert shop.held.tags == {"v1": shop.content.root.digest}


def _arrives_and_fails(shop: Shop, blob: Digest) -> None:
    shop.held.blobs.add(blob)
    raise BROKEN


def test_what_the_registry_refuses_to_write_is_left_at_that(shop: Shop) -> None:
    shop.journal.on("push", BROKEN, BROKEN, BROKEN)
    with pytest.raises(ServerError):
        shop.push()
    assert shop.journal.steps.count("push") == 3
    assert not shop.resent
    assert not shop.held.tags


@pytest.mark.parametrize("step", ["push", "manifest"])
def test_nothing_is_sent_by_another_where_the_engine_was_asked_for(shop: Shop, step: str) -> None:
    shop.may_resend = False
    shop.journal.on(step, *[BROKEN] * 9)
    with pytest.raises((ServerError, PushError)):
        shop.push()
    assert "resend" not in shop.journal.steps
    assert not shop.held.tags


@pytest.mark.parametrize("failures", [(BROKEN, BROKEN, BROKEN), ()])
def test_what_the_engine_leaves_out_is_sent_without_a_question(
    shop: Shop, failures: tuple[Exception, ...]
) -> None:
    lost = shop.content.blobs[-1].digest

    def lose() -> None:
        shop.held.blobs.discard(lost)
        if failures:
            raise failures[0]

    shop.journal.on("present", None, lose, *failures[1:], *[None] * 4)
    shop.push()
    assert shop.resent == [{lost}]
    assert shop.held.tags == {"v1": shop.content.root.digest}


def test_a_tag_that_cannot_be_read_is_not_moved_where_tags_are_immutable(shop: Shop) -> None:
    shop.journal.on("tag v1", BROKEN, BROKEN, BROKEN)
    with pytest.raises(ServerError):
        shop.push(immutable=True)
    assert "push" not in shop.journal.steps


def test_a_blob_that_another_repository_has_is_borrowed_and_not_read(shop: Shop) -> None:
    lent = shop.content.blobs[-1].digest
    shop.early.mounts = frozenset({lent})
    shop.held.blobs.add(lent)
    result = shop.push("v1")
    assert lent not in {blob.digest for blob in result.plan.missing}


def test_a_blob_that_was_sent_before_is_not_laid_out_for_the_engine(shop: Shop) -> None:
    config, base, app = shop.content.blobs
    arrives = frozenset({config.digest, base.digest})
    shop.early.uploads = arrives
    shop.held.blobs |= arrives
    # the plan is made before it comes
    shop.journal.on("present", shop.held.blobs.clear)
    shop.journal.on("upload", lambda: shop.held.blobs.update(arrives))
    shop.push()
    laid_out = {path.name for path in shop.layouts[0].glob("blobs/sha256/*")}
    assert laid_out == {shop.content.root.digest.hex, config.digest.hex, app.digest.hex}
    assert shop.held.tags == {"v1": shop.content.root.digest}


@pytest.mark.parametrize(
    ("arrives", "asks"),
    [(None, False), ({0, 1, 2}, False), (set(), True), ({0}, True), ({1, 2}, True)],
    ids=["nothing is tried", "all arrives", "all fails", "two fail", "one fails"],
)
def test_a_writer_asks_for_what_may_have_arrived_early_and_for_nothing_else(
    shop: Shop, arrives: set[int] | None, *, asks: bool
) -> None:
    digests = [blob.digest for blob in shop.content.blobs]
    if arrives is not None:
        early = shop.early.uploads = frozenset(digests[n] for n in arrives)
        shop.journal.on("upload", lambda: shop.held.blobs.update(early))
    shop.push()
    known = frozenset(digests) - (shop.early.uploads or frozenset())
    assert [image.missing for image in shop.writer.images] == [None if asks else known]


@pytest.mark.parametrize("part", [0, 0.5, 1, 3])
def test_what_was_sent_before_is_no_part_of_the_upload_that_is_shown(
    shop: Shop, part: float
) -> None:
    size = sum(blob.size for blob in shop.content.blobs)
    shop.early.ahead = int(size * part)
    shop.journal.on("push", NetworkError("Gone."), None)
    shop.push()
    rest = max(0, size - shop.early.ahead) or None
    assert [task.total for task in shop.progress.tasks] == [rest, size], "then all is sent again"


def test_a_writer_that_is_tried_again_asks_for_what_it_may_have_written(shop: Shop) -> None:
    shop.journal.on("push", NetworkError("Gone."), None)
    shop.push()
    every = frozenset(blob.digest for blob in shop.content.blobs)
    assert [image.missing for image in shop.writer.images] == [every, None]


def test_an_image_without_tags_is_sent_once_and_then_unchanged(shop: Shop) -> None:
    request = PushRequest(repository=REPOSITORY, tags=())
    first = push(request, shop.image, shop.context())
    again = push(request, shop.image, shop.context())
    assert (first.unchanged, again.unchanged) == (False, True)
    assert shop.held.manifests == shop.content.documents
    assert not shop.held.tags


REFUSED = ManifestRefusedError("It accepts no OCI manifests.")


def docker_digest(shop: Shop) -> Digest:
    return docker_form(shop.content).root.digest


def test_a_registry_that_refuses_oci_manifests_gets_dockers_and_that_is_remembered(
    shop: Shop,
) -> None:
    shop.journal.on("push", REFUSED)
    result = shop.push("v1", "v2")
    assert result.digest == docker_digest(shop)
    assert shop.held.tags == dict.fromkeys(("v1", "v2"), result.digest)
    [note] = shop.progress.notes
    assert str(shop.content.root.digest) in note
    assert str(result.digest) in note
    assert shop.refusals == 1


@pytest.mark.parametrize("said", ["invalid", "too many layers", "annotations are too large"])
def test_a_refusal_that_is_not_about_the_type_is_not_remembered(shop: Shop, said: str) -> None:
    shop.journal.on("push", ManifestRefusedError(said, about_type=False))
    result = shop.push()
    assert result.digest == docker_digest(shop)
    [note] = shop.progress.notes
    assert "calls the OCI manifest invalid" in note
    assert str(result.digest) in note
    assert shop.refusals == 0


def test_where_it_is_known_to_refuse_them_they_are_not_offered(shop: Shop) -> None:
    shop.format = ManifestFormat(refused=True)
    assert shop.push(dry_run=True).digest == docker_digest(shop)
    assert "accepted no OCI manifests before" in shop.progress.notes[0]
    assert "--manifest-format oci tries again" in shop.progress.notes[0]
    assert shop.push().digest == docker_digest(shop)
    assert shop.journal.steps.count("push") == 1


def test_what_has_its_digest_in_either_format_is_unchanged(shop: Shop) -> None:
    shop.registry.hold(REPOSITORY, docker_form(shop.content), "v1")
    result = shop.push("v1")
    assert (result.unchanged, result.digest) == (True, docker_digest(shop))
    assert "push" not in shop.journal.steps


@pytest.mark.parametrize("asked", ["oci", "docker"])
def test_a_format_that_was_asked_for_is_the_one_that_is_tried(shop: Shop, asked: str) -> None:
    shop.format = ManifestFormat(asked="oci" if asked == "oci" else "docker")
    shop.journal.on("push", REFUSED)
    with pytest.raises(ManifestRefusedError):
        shop.push()
    assert shop.journal.steps.count("push") == 1
    assert not shop.held.tags


def test_a_registry_that_refuses_both_gives_its_first_answer(shop: Shop) -> None:
    shop.journal.on("push", REFUSED, ManifestRefusedError("Nor these."))
    with pytest.raises(ManifestRefusedError, match="no OCI"):
        shop.push()
    assert (shop.refusals, shop.held.tags) == (0, {})


def test_under_immutable_the_digest_does_not_change_unasked(shop: Shop) -> None:
    shop.journal.on("push", REFUSED)
    with pytest.raises(ConflictError, match=str(docker_digest(shop))) as caught:
        shop.push(immutable=True)
    assert "--manifest-format docker" in caught.value.remedy
    assert not shop.held.tags


def test_no_engine_starts_while_the_registry_wants_to_be_left_alone(shop: Shop) -> None:
    waits: list[float] = []
    shop.sleep = waits.append
    shop.journal.on("upload", lambda: shop.shared_backoff.hold(5.0))
    shop.push()
    assert 4 < waits[0] <= 5
    assert shop.progress.notes[0].startswith("registry.example.com is busy. Continuing in ")


def test_what_is_remembered_does_not_keep_from_offering_what_docker_has_no_type_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(_: Content) -> Content:
        raise NoDockerFormError("it has a `subject`", "Push it elsewhere.")

    monkeypatch.setattr("dockless.oci.docker_manifest.docker_form", impossible)
    shop.format = ManifestFormat(refused=True)
    assert shop.push().digest == shop.content.root.digest


def test_a_remembered_refusal_changes_no_digest_where_tags_are_immutable(shop: Shop) -> None:
    shop.format = ManifestFormat(refused=True)
    shop.journal.on("push", REFUSED)
    with pytest.raises(ConflictError):
        shop.push(immutable=True)
    shop.registry.hold(REPOSITORY, docker_form(shop.content), "v1")
    assert shop.push(immutable=True).unchanged


def lost() -> LostCopyError:
    return LostCopyError("The copy of sha256:0 in the store /store is damaged.", "Push again.")


class Proof:
    """Stands in for the comparison of copies, which finds one wrong so many times."""

    def __init__(self, wrong: int, *, when: bool) -> None:
        self.asked: list[bool] = []
        self._wrong = wrong
        self._when = when

    def __call__(self, copies: Sequence[Copy], *, read: bool) -> None:
        assert copies
        self.asked.append(read)
        if read == self._when and self._wrong:
            self._wrong -= 1
            raise lost()


CUT = NetworkError("The connection failed: unexpected EOF.")
NOT_TAKEN = PushError("registry.example.com rejects the blob: DIGEST_INVALID.")


@pytest.mark.parametrize(
    ("error", "when", "asked"),
    [
        (CUT, False, [False, True]),
        (NOT_TAKEN, True, [False, True]),
        (ServerError("It is in trouble."), False, [False, True]),
        (FileNotFoundError(2, "No such file", "/store/runs/1/layout"), False, [False, True]),
        (UnexplainedError("skopeo failed: Digest did not match."), True, [False, True]),
        (LostCopyError("The layout has a blob that is damaged."), True, [False, True]),
    ],
    ids=["cut", "refused", "in trouble", "deleted", "unexplained", "seen before"],
)
def test_a_copy_that_is_wrong_here_is_staged_again(
    shop: Shop, error: Exception, asked: list[bool], *, when: bool
) -> None:
    shop.proof = Proof(1, when=when)
    shop.attempts = 1
    shop.journal.on("push", error, None)
    result = shop.push()
    assert shop.held.tags == {"v1": result.plan.content.root.digest}
    assert shop.proof.asked == asked
    assert shop.journal.steps.count("paths") == 2
    assert [note for note in shop.progress.notes if note.endswith("It is staged again.")]


def test_a_copy_that_stays_wrong_is_an_error_that_names_it(shop: Shop) -> None:
    shop.proof = Proof(3, when=True)
    shop.journal.on("push", NOT_TAKEN, NOT_TAKEN, NOT_TAKEN)
    with pytest.raises(LostCopyError, match="/store"):
        shop.push()
    assert not shop.held.tags


@pytest.mark.parametrize(
    "error", [AuthError("No."), NetworkError("It is down."), ConflictError("Another is there.")]
)
def test_no_copy_is_read_where_it_cannot_be_the_cause(shop: Shop, error: DocklessError) -> None:
    shop.proof, shop.attempts = Proof(0, when=True), 1
    shop.journal.on("push", error)
    with pytest.raises(type(error)):
        shop.push()
    assert shop.proof.asked == [False]


def test_what_is_right_here_leaves_the_registry_s_error(shop: Shop) -> None:
    shop.proof = Proof(0, when=True)
    shop.journal.on("push", NOT_TAKEN)
    with pytest.raises(PushError, match="DIGEST_INVALID"):
        shop.push()
    assert shop.proof.asked == [False, True]


@pytest.mark.parametrize("step", ["content", "paths", "move v1"])
def test_what_is_deleted_at_any_step_is_made_again(shop: Shop, step: str) -> None:
    shop.journal.on(step, FileNotFoundError(2, "No such file", "/store/runs/1/x"), None, None)
    result = shop.push()
    assert shop.held.tags == {"v1": result.plan.content.root.digest}


@pytest.mark.parametrize("step", ["content", "paths", "move v1"])
def test_what_is_deleted_again_and_again_is_an_error(shop: Shop, step: str) -> None:
    gone = FileNotFoundError(2, "No such file", "/store/runs/1/x")
    shop.journal.on(step, gone, gone, gone)
    with pytest.raises(LostCopyError, match="/store/runs/1/x"):
        shop.push()


@pytest.mark.parametrize(
    ("actual", "said"), [("none", "not compressed"), ("zstd", "zstd data"), ("gzip", "gzip data")]
)
def test_each_mislabelled_layer_is_warned_of_once(shop: Shop, actual: str, said: str) -> None:
    shop.mislabelled = lambda path, blob: actual if "layer" in blob.media_type else ""  # noqa: ARG005
    shop.push()
    layers = [blob for blob in shop.content.blobs if "layer" in blob.media_type]
    assert layers
    for layer in layers:
        line = f"Warning: layer {layer.digest} is {said}, but its media type is {layer.media_type}."
        assert sum(note.startswith(line) for note in shop.progress.notes) == 1
