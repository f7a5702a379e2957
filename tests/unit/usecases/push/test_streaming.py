import _thread
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockless.errors import AuthError, DocklessError, NetworkError, PushError, StrayError
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_LAYER, Descriptor
from dockless.oci.reference import Repository
from dockless.usecases.push.streaming import EarlyLimits, StreamedUploads
from fakes.journal import Journal
from fakes.progress import FakeTask
from fakes.registry import FakeRegistry
from fakes.uploader import FakeUploader

SHOP = Repository.of("registry.example.com", "team/shop")
DATA = b"layer" * 1000
BLOB = Descriptor(media_type=OCI_LAYER, digest=Digest.of(DATA), size=len(DATA))
FAILURES = [AuthError("Denied."), PushError("Refused."), NetworkError("Gone."), OSError("No file.")]


@dataclass(slots=True)
class Bench:
    """Early uploads to a registry in memory."""

    path: Path
    journal: Journal = field(default_factory=Journal)
    pauses: list[float] = field(default_factory=list)
    registry: FakeRegistry = field(init=False)
    uploader: FakeUploader = field(init=False)
    early: StreamedUploads = field(init=False)

    def __post_init__(self) -> None:
        self.path.write_bytes(DATA)
        self.registry = FakeRegistry()
        self.uploader = FakeUploader(self.registry, self.journal)
        watch = EarlyLimits(hold=self.pauses.append)
        self.early = StreamedUploads(SHOP, self.registry, self.uploader, watch)

    def upload(self) -> frozenset[Digest]:
        return self.early.upload({BLOB.digest: self.path}, FakeTask("uploading", None))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "blob")


class Growing:
    """A blob that is still written, as a `ports.UnfinishedBlob`."""

    def __init__(self, error: DocklessError | None = None) -> None:
        self.blob: Descriptor | None = None
        self.closed = threading.Event()
        self._error = error

    def chunks(self, size: int) -> Iterator[bytes]:
        yield DATA[:size]
        yield b""
        if self._error:
            raise self._error
        self.blob = BLOB

    def close(self) -> None:
        self.closed.set()


def test_a_growing_layer_is_committed_once_the_image_is_known(bench: Bench) -> None:
    growing = Growing()
    with bench.early as early:
        early.follow(growing)
        assert growing.closed.wait(120)
        assert not bench.registry.repositories[SHOP].blobs
        assert bench.upload() == {BLOB.digest}
    assert bench.registry.repositories[SHOP].blobs == {BLOB.digest}
    assert bench.journal.steps == ["stream", f"commit {BLOB.digest}"]


@pytest.mark.parametrize("asked", [False, True])
def test_bytes_that_went_before_are_not_counted_again(bench: Bench, *, asked: bool) -> None:
    growing, task = Growing(), FakeTask("uploading", None)
    with bench.early as early:
        early.follow(growing)
        assert growing.closed.wait(120)
        if asked:
            assert early.sent_ahead() == BLOB.size
        early.upload({BLOB.digest: bench.path}, task)
    assert task.done == (0 if asked else BLOB.size)


@pytest.mark.parametrize("before", ["offered", "growing", "staged"])
def test_what_was_sent_is_asked_for_again_by_the_next_push(bench: Bench, before: str) -> None:
    growing = Growing()
    with bench.early as early:
        if before == "offered":
            early.offer(BLOB, bench.path)
        elif before == "growing":
            early.follow(growing)
            assert growing.closed.wait(120)
        early.mark_present({BLOB.digest: False})
        assert bench.upload() == {BLOB.digest}
        assert early.mount([BLOB.digest]) == {}
        early.mark_present({BLOB.digest: True})
        assert early.upload({}, FakeTask("uploading", None)) == frozenset()
        assert early.mount([BLOB.digest]) == {BLOB.digest: True}


def test_a_layer_that_is_given_up_is_sent_from_its_file(bench: Bench) -> None:
    growing = Growing(PushError("The rest will not be written."))
    with bench.early as early:
        early.follow(growing)
        assert growing.closed.wait(120)
        assert bench.upload() == {BLOB.digest}
    assert bench.journal.steps.count("stream") == 2


def test_what_the_image_does_not_need_is_cancelled(bench: Bench) -> None:
    with bench.early as early:
        early.offer(BLOB, bench.path)
        assert early.upload({}, FakeTask("uploading", None)) == frozenset()
    assert bench.journal.steps == ["stream", "cancel"]
    assert not bench.uploader.sessions


@pytest.mark.parametrize("step", ["stream", f"commit {BLOB.digest}"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_left_to_the_writer(bench: Bench, step: str, failure: Exception) -> None:
    bench.journal.on(step, failure)
    with bench.early:
        assert bench.upload() == frozenset()
    assert not bench.registry.repositories[SHOP].blobs
    assert not bench.pauses


@pytest.mark.parametrize("step", ["stream", f"commit {BLOB.digest}"])
@pytest.mark.parametrize(("asked", "pause"), [(None, 1.0), (7.0, 7.0), (0.0, 0.0)])
def test_a_busy_registry_is_given_the_pause_that_it_asks_for(
    bench: Bench, step: str, asked: float | None, pause: float
) -> None:
    bench.journal.on(step, NetworkError("Busy.", retry_after=asked, busy=True))
    with bench.early:
        assert bench.upload() == frozenset()
    assert bench.pauses == [pause]


@pytest.mark.parametrize("step", ["stream", f"commit {BLOB.digest}"])
def test_a_registry_that_leads_astray_is_an_error(bench: Bench, step: str) -> None:
    bench.journal.on(step, StrayError("It leads to 169.254.169.254."))
    with bench.early, pytest.raises(StrayError):
        bench.upload()


def test_a_registry_that_does_not_cancel_is_no_failure_of_the_push(bench: Bench) -> None:
    bench.journal.on("cancel", PushError("It does not."))
    with bench.early as early:
        early.offer(BLOB, bench.path)
        assert early.upload({}, FakeTask("uploading", None)) == frozenset()


def test_what_is_there_is_not_sent(bench: Bench) -> None:
    bench.registry.repositories[SHOP].blobs.add(BLOB.digest)
    bench.registry.repositories[SHOP].lengths.clear()
    with bench.early as early:
        early.offer(BLOB, bench.path)
        early.upload({}, FakeTask("uploading", None))
    assert early.mount([BLOB.digest]) == {BLOB.digest: True}
    assert not bench.journal.steps


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
@pytest.mark.parametrize("follows", [True, False])
def test_where_no_thread_can_be_started_the_writer_sends_it(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    follows: bool,  # noqa: FBT001 - a parameter of the test
    error: Exception,
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    with bench.early:
        if follows:
            bench.early.follow(Growing())
        assert bench.upload() == frozenset()


@pytest.mark.parametrize("host", ["registry.example.com", "ghcr.io", "127.0.0.1:5000"])
def test_the_registry_that_hung_until_the_time_was_over_is_named(bench: Bench, host: str) -> None:
    watch = EarlyLimits(until=time.monotonic() - 1)
    place = Repository.of(host, "team/shop")
    early = StreamedUploads(place, bench.registry, bench.uploader, watch)
    with pytest.raises(NetworkError, match=f"The request to {host} did not finish within"):
        early.upload({BLOB.digest: bench.path}, FakeTask("uploading", None))
