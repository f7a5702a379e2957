from collections.abc import Callable

import pytest

from dockless.errors import EngineError
from dockless.model.host import TransferMethod
from dockless.usecases.hosts.transfer_method import choose


def obstacles(asked: list[str], **why: str) -> dict[TransferMethod, Callable[[], str]]:
    def say(way: TransferMethod) -> Callable[[], str]:
        def answer() -> str:
            asked.append(way)
            return why.get(way, "")

        return answer

    ways: tuple[TransferMethod, ...] = ("invoke", "copy", "relay", "tunnel")
    return {way: say(way) for way in ways}


def test_the_first_way_without_an_obstacle_is_taken_and_no_later_one_asked_about() -> None:
    asked: list[str] = []
    found = choose("auto", "build", obstacles(asked, invoke="it has no engine"))
    assert found == ("copy", "cannot invoke: it has no engine")
    assert asked == ["invoke", "copy"]


def test_a_way_that_was_asked_for_is_the_only_one_looked_at() -> None:
    asked: list[str] = []
    assert choose("relay", "build", obstacles(asked, invoke="x")) == ("relay", "as asked")
    assert asked == ["relay"]


def test_an_obstacle_on_the_way_that_was_asked_for_is_an_error() -> None:
    with pytest.raises(EngineError, match="build cannot push by copy: no SFTP"):
        choose("copy", "build", obstacles([], copy="no SFTP"))


def test_no_way_at_all_tells_every_obstacle() -> None:
    why = {way: f"no {way}" for way in ("invoke", "copy", "relay", "tunnel")}
    with pytest.raises(EngineError, match="no invoke; cannot copy: no copy; cannot relay"):
        choose("auto", "build", obstacles([], **why))
