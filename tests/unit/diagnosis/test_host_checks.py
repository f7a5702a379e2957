"""A check of hosts within a time limit."""

import contextlib
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from dockless import concurrency
from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.diagnosis import host_checks
from dockless.diagnosis.host_checks import WantedCheck, check_hosts
from dockless.errors import AuthError, NetworkError
from dockless.model.server import Server

pytestmark = pytest.mark.timeout(30)
SERVERS = [Server(address=f"{name}.example", user="me") for name in ("one", "two", "three")]


@pytest.fixture
def over() -> Iterator[Event]:
    """The command's time is over at once; hosts that hang go on once the event is set."""
    event = Event()
    concurrency.end_by(time.monotonic())
    yield event
    event.set()
    concurrency.end_by(None)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_hosts_that_hang_are_given_up_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, over: Event, at_once: int
) -> None:
    @contextlib.contextmanager
    def hang(*_: object) -> Iterator[object]:
        over.wait(60)
        if over.is_set():
            raise AuthError("Late.")
        yield None

    monkeypatch.setattr(host_checks, "shell_on", hang)
    found = check_hosts(SERVERS, wanted(), nobody(), at_once)
    assert [each.server for each in found] == SERVERS
    for each in found:
        assert isinstance(each.error, NetworkError)
        assert each.error.what == f"The check of {each.server} did not finish within --timeout."


def test_what_a_host_answers_is_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(server: Server, *_: object) -> None:
        raise AuthError(f"{server.address} refuses.")

    monkeypatch.setattr(host_checks, "shell_on", refuse)
    found = check_hosts(SERVERS, wanted(), nobody(), 2)
    assert [str(each.error) for each in found] == [f"{each.address} refuses." for each in SERVERS]


def wanted() -> WantedCheck:
    return WantedCheck(
        settings=Settings(project=lambda: Setting("shop", "folder name")),
        image="shop",
        insecure=False,
        stall=1.0,
    )


def nobody() -> Any:  # noqa: ANN401 - what is passed to `shell_on` alone
    return None
