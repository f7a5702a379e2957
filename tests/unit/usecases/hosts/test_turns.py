"""One host at a time brings an image through here; nobody waits for that endless list."""

import threading
import time

import pytest

from dockless import concurrency
from dockless.errors import NetworkError, PushError
from dockless.usecases.hosts.turns import Turns

IMAGES = pytest.mark.parametrize("image", ["sha256:1", 0, ("a", 1)])


@IMAGES
def test_who_waits_for_a_turn_is_ended_by_an_abort(image: object) -> None:
    turns, aborted = Turns(), threading.Event()
    with turns.of(image, threading.Event()):
        waiting = concurrency.alone(lambda: turns.of(image, aborted).__enter__())
        aborted.set()
        with pytest.raises(PushError, match="interrupted"):
            waiting.result(30)


@IMAGES
def test_who_waits_for_a_turn_is_ended_by_the_time_of_the_command(
    monkeypatch: pytest.MonkeyPatch, image: object
) -> None:
    turns = Turns()
    monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() + 0.1)
    with turns.of(image, threading.Event()):
        waiting = concurrency.alone(lambda: turns.of(image, threading.Event()).__enter__())
        with pytest.raises(NetworkError, match="within --timeout"):
            waiting.result(30)


@IMAGES
def test_a_turn_comes_when_the_one_before_ends(image: object) -> None:
    turns, never = Turns(), threading.Event()
    with turns.of(image, never), turns.of("another", never):
        pass
    with turns.of(image, never):
        pass
