import threading

import pytest

from dockless.model.digest import Digest
from dockless.model.reference import Repository
from dockless.registry.mounts import SharedBlobs

ONE, TWO, THREE = (Digest.of(each) for each in (b"one", b"two", b"three"))
WEB, API, JOB = (Repository.of("registry.inside:5000", each) for each in ("web", "api", "job"))


@pytest.fixture
def shared() -> SharedBlobs:
    return SharedBlobs()


def test_what_nobody_has_is_ones_own_to_send(shared: SharedBlobs) -> None:
    assert shared.claim(WEB, [ONE, TWO]) == {}


def test_what_arrived_is_borrowed_from_where_it_is(shared: SharedBlobs) -> None:
    shared.claim(WEB, [ONE, TWO])
    shared.done(WEB, [ONE, TWO], arrived=True)
    assert shared.claim(API, [ONE, THREE]) == {ONE: WEB}
    assert shared.claim(WEB, [ONE]) == {}, "nobody borrows from themselves"


def test_what_another_is_sending_is_waited_for(shared: SharedBlobs) -> None:
    shared.claim(WEB, [ONE])
    got: list[dict[Digest, Repository]] = []
    waiting = threading.Thread(target=lambda: got.append(shared.claim(API, [ONE, TWO])))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    shared.done(WEB, [ONE], arrived=True)
    waiting.join(10)
    assert got == [{ONE: WEB}]


def test_after_a_failure_the_next_one_sends(shared: SharedBlobs) -> None:
    shared.claim(WEB, [ONE])
    got: list[dict[Digest, Repository]] = []
    waiting = threading.Thread(target=lambda: got.append(shared.claim(API, [ONE])))
    waiting.start()
    shared.done(WEB, [], arrived=False)
    waiting.join(10)
    assert got == [{}]
    shared.done(API, [ONE], arrived=True)
    assert shared.claim(JOB, [ONE]) == {ONE: API}


def test_another_registry_is_another_place(shared: SharedBlobs) -> None:
    shared.claim(WEB, [ONE])
    shared.done(WEB, [ONE], arrived=True)
    assert shared.claim(Repository.of("other.inside", "web"), [ONE]) == {}
