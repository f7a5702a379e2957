import threading
import time

import pytest

from dockless.errors import NetworkError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs

HOST = "registry.inside:5000"
ONE, TWO, THREE = (Digest.of(each) for each in (b"one", b"two", b"three"))
WEB, API = (Repository.of(HOST, each) for each in ("web", "api"))


Senders = tuple[BlobClaims, BlobClaims, BlobClaims]


@pytest.fixture
def senders() -> Senders:
    shared = SharedBlobs()
    return shared.claims(), shared.claims(), shared.claims()


def test_what_nobody_has_is_ones_own_to_send(senders: Senders) -> None:
    assert senders[0].claim(HOST, [ONE, TWO]) == {}


def test_what_arrived_is_found_where_it_is(senders: Senders) -> None:
    one, other, _ = senders
    one.claim(HOST, [ONE, TWO])
    one.done(WEB, [ONE, TWO])
    assert other.claim(HOST, [ONE, THREE]) == {ONE: WEB}
    assert one.claim(HOST, [ONE]) == {ONE: WEB}


def test_what_another_is_sending_is_waited_for(senders: Senders) -> None:
    one, other, _ = senders
    one.claim(HOST, [ONE])
    got, waiting = _claiming(other, [ONE, TWO])
    waiting.join(0.1)
    assert waiting.is_alive()
    one.done(WEB, [ONE])
    waiting.join(10)
    assert got == [{ONE: WEB}]


def test_what_another_sends_to_the_same_repository_is_waited_for_too(senders: Senders) -> None:
    one, other, third = senders
    one.claim(HOST, [ONE])
    other.claim(HOST, [TWO])
    other.done(WEB, [TWO])
    got, waiting = _claiming(third, [ONE])
    waiting.join(0.1)
    assert waiting.is_alive(), "what the other one sent has nothing to do with it"
    one.done(WEB, [ONE])
    waiting.join(10)
    assert got == [{ONE: WEB}]


def test_what_was_reserved_is_sent_by_whoever_takes_it_over(senders: Senders) -> None:
    one, other, third = senders
    one.reserve(HOST, [ONE, TWO])
    other.take_over(one)
    assert other.claim(HOST, [ONE, TWO]) == {}
    got, waiting = _claiming(third, [ONE])
    other.done(WEB, [ONE, TWO])
    waiting.join(10)
    assert got == [{ONE: WEB}]


def test_after_a_failure_the_next_one_sends(senders: Senders) -> None:
    one, other, third = senders
    one.claim(HOST, [ONE])
    got, waiting = _claiming(other, [ONE])
    one.done(WEB, [])
    waiting.join(10)
    assert got == [{}]
    other.done(API, [ONE])
    assert third.claim(HOST, [ONE]) == {ONE: API}


def test_another_registry_is_another_place(senders: Senders) -> None:
    one, other, _ = senders
    one.claim(HOST, [ONE])
    one.done(WEB, [ONE])
    assert other.claim("other.inside", [ONE]) == {}


def test_nobody_waits_for_somebody_who_waits_for_them(senders: Senders) -> None:
    one, other, _ = senders
    one.reserve(HOST, [ONE])
    got, waiting = _claiming(other, [TWO, ONE])
    _until_waiting(one, other)
    assert one.claim(HOST, [ONE, TWO]) == {}, "it would have closed the circle"
    one.done(WEB, [ONE, TWO])
    waiting.join(30)
    assert got == [{ONE: WEB, TWO: WEB}]


@pytest.mark.parametrize("count", [3, 4, 6])
def test_nobody_waits_in_a_larger_circle_either(count: int) -> None:
    shared = SharedBlobs()
    ring = [shared.claims() for _ in range(count)]
    blobs = [Digest.of(f"{number}".encode()) for number in range(count)]
    for claims, blob in zip(ring, blobs, strict=True):
        claims.reserve(HOST, [blob])
    waits = []
    for number in range(1, count):
        pair = [blobs[number], blobs[(number + 1) % count]]
        waits.append(_claiming(ring[number], pair))
        _until_waiting(ring[0], ring[number])
    assert ring[0].claim(HOST, blobs[:2]) == {}
    for number in range(count):
        ring[-number].done(WEB, [blobs[-number]])
    for _, waiting in waits:
        waiting.join(30)
        assert not waiting.is_alive()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.05])
def test_waiting_ends_with_the_deadline(senders: Senders, seconds: float) -> None:
    one, other, _ = senders
    one.claim(HOST, [ONE])
    with pytest.raises(NetworkError, match="--timeout"):
        other.claim(HOST, [ONE, TWO], time.monotonic() + seconds)
    assert other.claim(HOST, [THREE], time.monotonic() - 1) == {}, "nobody was waited for"


def _until_waiting(one: BlobClaims, other: BlobClaims) -> None:
    """Wait until one sender is known to wait for others."""
    state = one._state
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with state.changed:
            if other in state.awaited:
                return
        time.sleep(0.001)
    raise AssertionError("it does not wait")


@pytest.mark.parametrize("blobs", [[ONE], [ONE, TWO], [ONE, TWO, THREE]])
def test_whoever_is_not_woken_goes_on_all_the_same(
    senders: Senders, monkeypatch: pytest.MonkeyPatch, blobs: list[Digest]
) -> None:
    one, other, _ = senders
    one.claim(HOST, blobs)
    got, waiting = _claiming(other, blobs)
    waiting.join(0.1)

    def notify(_: threading.Condition) -> None:
        raise MemoryError

    with monkeypatch.context() as without_memory:
        without_memory.setattr(threading.Condition, "notify_all", notify)
        with pytest.raises(MemoryError):
            one.done(WEB, blobs)
    waiting.join(60)
    assert got == [dict.fromkeys(blobs, WEB)]


def _claiming(
    claims: BlobClaims, blobs: list[Digest]
) -> tuple[list[dict[Digest, Repository]], threading.Thread]:
    got: list[dict[Digest, Repository]] = []
    waiting = threading.Thread(target=lambda: got.append(claims.claim(HOST, blobs)))
    waiting.start()
    return got, waiting
