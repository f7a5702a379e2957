"""Which way a host pushes."""

from collections.abc import Callable, Mapping
from typing import Literal

from dockless.errors import EngineError
from dockless.model.host import Way

Via = Literal["auto", "invoke", "copy", "relay", "tunnel"]
ORDER: tuple[Way, ...] = ("invoke", "copy", "relay", "tunnel")


def choose(via: Via, host: str, obstacles: Mapping[Way, Callable[[], str]]) -> tuple[Way, str]:
    """Return the way to take and why, in words.

    Args:
        via: The way that is asked for, or `auto` for the first that the host can do.
        host: The host's name.
        obstacles: For each way, what says why it cannot be gone; nothing when it can. It is
            asked only when its turn comes.

    Raises:
        EngineError: The way, or with `auto` every way, has an obstacle.
    """
    if via != "auto":
        if why := obstacles[via]():
            raise EngineError(f"{host} cannot push by {via}: {why}.", "Try --via auto.")
        return via, "as asked"
    reasons: list[str] = []
    for way in ORDER:
        why = obstacles[way]()
        if not why:
            return way, "; ".join(reasons) if reasons else "it can"
        reasons.append(f"cannot {way}: {why}")
    raise EngineError(f"{host} has no way to push: {'; '.join(reasons)}.")
