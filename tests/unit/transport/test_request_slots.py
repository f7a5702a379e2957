import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dockless.concurrency import alone, map_concurrently
from dockless.errors import NetworkError, NoSlotError
from dockless.model.endpoint import Endpoint
from dockless.transport.bodies import Body, RepeatableBody
from dockless.transport.http import HttpClient, Response
from dockless.transport.request_slots import RequestSlots

HOST = "registry.example.com"
URL = f"https://{HOST}/v2/"
AT_ONCE = 8
BOUND = 60


class Proxy:
    """Connections to a proxy that answers only so many requests at once; the first ones meet."""

    def __init__(self, most: int, status: int, headers: dict[str, str] | None = None) -> None:
        self._most, self._status, self._headers = most, status, headers or {}
        self._first = threading.Barrier(AT_ONCE)
        self._guard = threading.Lock()
        self._active = 0
        self.highest = 0
        self.answers: list[tuple[str, int]] = []

    def request(self, method: str, url: str, body: Body = None, **_: Any) -> "Answer":  # noqa: ANN401 - as urllib3's
        del method
        with self._guard:
            self._active += 1
            status = 200 if self._active <= self._most else self._status
            if len(self.answers) >= AT_ONCE:
                self.highest = max(self.highest, self._active)
            self.answers.append((url, status))
            waits = len(self.answers) <= AT_ONCE
        if waits:
            self._first.wait(BOUND)
        if body is not None and not isinstance(body, bytes):
            for _chunk in body:
                pass
        return Answer(status, self._headers if status != 200 else {}, self._done)

    def _done(self) -> None:
        with self._guard:
            self._active -= 1


class Answer:
    """An answer whose end is told."""

    reason = "Busy"
    length_remaining = None

    def __init__(self, status: int, headers: dict[str, str], done: Callable[[], None]) -> None:
        self.status, self.headers, self.close = status, headers, done

    def read(self, size: int) -> bytes:
        del size
        return b""

    def release_conn(self) -> None:
        """Nothing is held."""


def client(proxy: Proxy, most: int | None = None) -> HttpClient:
    http = HttpClient(Endpoint(host=HOST), {})
    http.slots = RequestSlots(most)
    http._pools = {f"https://{HOST}": proxy}  # type: ignore[dict-item] # as far as it is used
    return http


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_what_was_one_too_many_is_sent_again_and_nothing_else(most: int, status: int) -> None:
    proxy = Proxy(most, status)
    http = client(proxy)
    urls = [f"{URL}{number}" for number in range(60)]
    answers = map_concurrently(lambda url: http.ask("HEAD", url).status, urls, AT_ONCE)
    assert answers == [200] * 60
    taken = Counter(url for url, status in proxy.answers if status == 200)
    assert set(taken.values()) == {1}
    assert sum(status != 200 for _, status in proxy.answers) <= 2 * AT_ONCE
    assert http.slots.most is not None
    assert http.slots.most <= max(most, AT_ONCE // 2)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_are_sent_than_was_asked_for(most: int) -> None:
    slots, seen = RequestSlots(most), []
    guard = threading.Lock()
    active = 0

    def step(_: int) -> None:
        nonlocal active
        with slots.taken(HOST):
            with guard:
                active += 1
                seen.append(active)
            with guard:
                active -= 1

    map_concurrently(step, range(200), AT_ONCE)
    assert max(seen) <= most
    assert len(seen) == 200


def test_a_registry_that_is_busy_with_one_request_is_in_trouble() -> None:
    proxy = Proxy(0, 503)
    proxy._first = threading.Barrier(1)
    with pytest.raises(NetworkError) as caught:
        client(proxy).ask("GET", URL)
    assert caught.value.busy
    assert len(proxy.answers) == 1


@pytest.mark.parametrize("pause", ["0", "1", "60"])
def test_a_pause_that_is_asked_for_is_no_limit_on_connections(pause: str) -> None:
    http = client(Proxy(3, 429, {"Retry-After": pause}))
    with pytest.raises(NetworkError) as caught:
        map_concurrently(lambda _: http.ask("HEAD", URL), range(AT_ONCE), AT_ONCE, finish=True)
    assert caught.value.retry_after == float(pause)
    assert http.slots.most is None


@pytest.mark.parametrize("again", [True, False])
def test_only_a_body_that_can_be_read_again_is_sent_again(*, again: bool) -> None:
    proxy, begun = Proxy(1, 503), []

    def chunks() -> Iterator[bytes]:
        begun.append(1)
        yield b"x"

    http = client(proxy)

    def put(_: int) -> Response:
        return http.ask("PUT", URL, body=RepeatableBody(chunks) if again else chunks())

    if again:
        answers = map_concurrently(put, range(AT_ONCE), AT_ONCE)
        assert {each.status for each in answers} == {200}
        assert len(begun) > AT_ONCE
    else:
        with pytest.raises(NetworkError):
            map_concurrently(put, range(AT_ONCE), AT_ONCE, finish=True)
        assert len(begun) == AT_ONCE


def test_a_thread_does_not_wait_for_itself() -> None:
    slots = RequestSlots(1)
    with (
        slots.taken(HOST),
        pytest.raises(NoSlotError, match="no further request"),
        slots.taken(HOST),
    ):
        pass
    with slots.taken(HOST):  # all are free again
        pass


def test_a_wait_ends_with_the_time_limit() -> None:
    slots = RequestSlots(1)

    def wait() -> None:
        with slots.taken(HOST, time.monotonic() - 1):
            pass

    with slots.taken(HOST):
        waiting = alone(wait)
        with pytest.raises(NetworkError, match="--timeout"):
            waiting.result(BOUND)


def test_a_token_service_has_no_part_in_the_registrys_limit() -> None:
    http = client(Proxy(1, 503), most=1)
    http._pools["https://auth.example.com"] = http._pools[f"https://{HOST}"]
    http._pools[f"https://{HOST}"]._first = threading.Barrier(1)  # type: ignore[attr-defined] # ours
    with http.slots.taken(HOST):
        assert http.ask("GET", "https://auth.example.com/token").status == 200
