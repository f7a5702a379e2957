"""Threads that end before they are done, for lack of memory: whoever waits for one is told.

The injections: a thread that the system ends before its first step, as where there is no memory
for the first Python frame; one that cannot be started at all; and a MemoryError at each step of
what a worker does.
"""

import _thread
import gc
import gzip
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dockless import concurrency
from dockless.concurrency import alone, map_concurrently
from dockless.model.timings import Timings
from dockless.oci.packing import Compression, asked
from dockless.storage.ahead_stream import AheadStream
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import BLOCK
from dockless.storage.compression import compressing
from dockless.storage.decompression import decompressing
from dockless.storage.staging import Staging
from dockless.threads import DaemonThread, ThreadPool
from fakes.progress import FakeTask

START = _thread.start_new_thread
SECONDS = 60
DATA = bytes(range(256)) * 8192 * 3


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what threads that were lost had open, which nobody else does."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def stillborn(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have every thread from this number on end before its first step."""
    count = iter(range(10_000))

    def start(work: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
        return START(work, arguments) if next(count) < number else START(int, ())

    monkeypatch.setattr(_thread, "start_new_thread", start)


def refused(monkeypatch: pytest.MonkeyPatch, number: int, error: Exception) -> None:
    """Have every thread from this number on not be started."""
    count = iter(range(10_000))

    def start(work: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
        if next(count) >= number:
            raise error
        return START(work, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", start)


def ends(step: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it is
    """Return what a step returns or raise what it raises, in a thread; it may take a minute."""
    ended: Future[Any] = Future()

    def run() -> None:
        try:
            ended.set_result(step())
        except BaseException as error:  # noqa: BLE001 - raised again below
            ended.set_exception(error)

    START(run, ())
    return ended.result(SECONDS)


def test_a_thread_that_does_not_come_to_its_first_step_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stillborn(monkeypatch, 0)
    thread = DaemonThread(int)
    ends(lambda: thread.join(SECONDS))
    assert not thread.is_alive()
    assert thread.failed


def test_a_thread_lives_until_its_work_is_done() -> None:
    over = threading.Event()
    thread = DaemonThread(lambda: over.wait(SECONDS))
    assert thread.is_alive()
    assert not thread.failed
    thread.join(0.01)
    assert thread.is_alive()
    over.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert not thread.failed


def test_a_thread_whose_memory_ends_has_failed() -> None:
    def work() -> None:
        raise MemoryError

    thread = DaemonThread(work)
    thread.join(SECONDS)
    assert thread.failed


@pytest.mark.parametrize("wait", ["result", "exception", "is_done"])
def test_whoever_waits_for_a_step_alone_is_told(monkeypatch: pytest.MonkeyPatch, wait: str) -> None:
    stillborn(monkeypatch, 0)
    step = alone(int)
    with pytest.raises(MemoryError, match="thread ended"):
        ends(partial(getattr(step, wait), SECONDS * 2))


@pytest.mark.parametrize("number", [0, 1, 3])
@pytest.mark.parametrize("finish", [True, False])
def test_whoever_waits_for_answers_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int, *, finish: bool
) -> None:
    stillborn(monkeypatch, number)
    asked_all = partial(map_concurrently, lambda each: each, range(50), 5, finish=finish)
    try:
        assert ends(asked_all) == list(range(50)), "the others may have done all of it"
    except MemoryError:
        pass
    else:
        assert number


@pytest.mark.parametrize("method", ["set_result", "set_exception"])
@pytest.mark.parametrize("number", [0, 1, 7])
@pytest.mark.parametrize("finish", [True, False])
def test_an_answer_that_cannot_be_told_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch, method: str, number: int, *, finish: bool
) -> None:
    count, real = iter(range(1000)), getattr(Future, method)

    def tell(future: Future[int], what: Any) -> None:  # noqa: ANN401 - a result or an error
        if next(count) == number and threading.current_thread() is not threading.main_thread():
            raise MemoryError
        real(future, what)

    def ask(each: int) -> int:
        if method == "set_exception" and each >= number:
            raise ValueError
        return each

    monkeypatch.setattr(Future, method, tell)
    answered = threading.Event()
    errors: list[BaseException] = []

    def whole() -> None:
        try:
            map_concurrently(ask, range(20), 2, finish=finish)
        except (MemoryError, ValueError) as error:
            errors.append(error)
        answered.set()

    START(whole, ())
    assert answered.wait(SECONDS)
    assert errors or (method == "set_exception" and number)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("number", [0, 1])
def test_whoever_compresses_is_told(
    monkeypatch: pytest.MonkeyPatch, compression: Compression, number: int
) -> None:
    stillborn(monkeypatch, number)
    with pytest.raises(MemoryError, match="thread ended"):
        ends(partial(compressed, compression))


def compressed(compression: Compression) -> bytes:
    written: list[bytes] = []

    class Written:
        def write(self, data: bytes, /) -> int:
            written.append(data)
            return len(data)

    with compressing(asked(compression), Written(), 2, Timings()) as sink:
        for start in range(0, len(DATA), BLOCK):
            sink.write(DATA[start : start + BLOCK])
    return b"".join(written)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_what_is_compressed_is_the_same_where_threads_are_refused(
    monkeypatch: pytest.MonkeyPatch, compression: Compression, number: int, error: Exception
) -> None:
    right = compressed(compression)
    refused(monkeypatch, number, error)
    assert ends(partial(compressed, compression)) == right


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_pool_does_every_step_where_threads_are_refused(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refused(monkeypatch, number, RuntimeError("can't start new thread"))

    def work() -> list[int]:
        with ThreadPool(3) as pool:
            futures = [pool.submit(partial(pow, each, 2)) for each in range(100)]
            return [pool.result(future) for future in futures]

    assert ends(work) == [each**2 for each in range(100)]


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("method", ["set_result", "set_exception"])
def test_a_pool_with_a_lost_thread_takes_no_further_steps(
    monkeypatch: pytest.MonkeyPatch, most: int, method: str
) -> None:
    def tell(*_: object) -> None:
        raise MemoryError

    step = int if method == "set_result" else partial(int, "no number")
    with ThreadPool(most) as pool, monkeypatch.context() as without_memory:
        without_memory.setattr(Future, method, tell)
        with pytest.raises(MemoryError):
            step_in(pool, step)
        with pytest.raises(MemoryError):
            step_in(pool, step)


def step_in(pool: ThreadPool, step: Callable[[], int]) -> int:
    """Have a pool take a step, and wait for it."""
    lost = threading.Event()
    results: list[int] = []
    errors: list[MemoryError] = []

    def whole() -> None:
        try:
            results.append(pool.result(pool.submit(step)))
        except MemoryError as error:
            errors.append(error)
        lost.set()

    START(whole, ())
    assert lost.wait(SECONDS)
    if errors:
        raise errors[0]
    return results[0]


@pytest.mark.parametrize("size", [-1, 1, BLOCK])
def test_whoever_reads_ahead_is_told(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    stillborn(monkeypatch, 0)
    with AheadStream(io.BytesIO(DATA), 3 * BLOCK) as ahead:
        with pytest.raises(MemoryError, match="reads ahead"):
            ends(partial(ahead.read, size))
        ends(ahead.end)


@pytest.mark.parametrize("size", [1, 100_000, 3_000_000])
def test_whoever_decompresses_is_told(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    packed = gzip.compress(DATA[:size])
    stillborn(monkeypatch, 0)

    def read() -> bytes:
        with decompressing(io.BytesIO(packed), "gzip", "layer.tar.gz") as plain:
            return plain.read()

    with pytest.raises(MemoryError, match="reads ahead"):
        ends(read)


@pytest.mark.parametrize("size", [1, 100_000, 3_000_000])
@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_a_layer_is_decompressed_without_a_thread(
    monkeypatch: pytest.MonkeyPatch, size: int, error: Exception
) -> None:
    packed = gzip.compress(DATA[:size])
    refused(monkeypatch, 0, error)
    with decompressing(io.BytesIO(packed), "gzip", "layer.tar.gz") as plain:
        assert plain.read() == DATA[:size]


class Pipe:
    """A stream whose next bytes do not come."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.reading = threading.Event()

    def read(self, size: int = -1, /) -> bytes:
        """Wait."""
        del size
        self.reading.set()
        self.over.wait(SECONDS * 2)
        return b""


def test_the_end_of_a_thread_that_reads_is_waited_for_until_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = Pipe()
    with AheadStream(pipe, BLOCK) as ahead:
        assert pipe.reading.wait(SECONDS)
        monkeypatch.setattr(concurrency._TimeLimit, "until", 0.0)
        ends(ahead.end)
        assert ahead._thread.is_alive()
        monkeypatch.setattr(concurrency._TimeLimit, "until", None)
        pipe.over.set()
        ends(ahead.end)
        assert not ahead._thread.is_alive()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_layer_is_staged_or_its_loss_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    stillborn(monkeypatch, number)
    store = BlobStore(tmp_path / "store")
    store.renew()

    def stage() -> None:
        with Staging(store, tmp_path / "run", asked("gzip"), 2) as staging:
            staging.layer(io.BytesIO(DATA), len(DATA), FakeTask("staging", None), "layer.tar")
            staging.settle()

    with pytest.raises(MemoryError, match="thread ended"):
        ends(stage)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_layer_is_staged_where_threads_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    refused(monkeypatch, number, RuntimeError("can't start new thread"))
    store = BlobStore(tmp_path / "store")

    def stage() -> int:
        with Staging(store, tmp_path / "run", asked("gzip"), 2) as staging:
            layer = staging.layer(
                io.BytesIO(DATA), len(DATA), FakeTask("staging", None), "layer.tar"
            )
            staging.settle()
            return len(staging.read(layer.descriptor.digest) or b"")

    assert ends(stage) == len(compressed("gzip"))
