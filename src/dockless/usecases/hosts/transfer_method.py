"""The transfer method of a host."""

from collections.abc import Callable, Mapping
from typing import Literal

from dockless.errors import EngineError
from dockless.model.host import TransferMethod

Via = Literal["auto", "invoke", "copy", "relay", "tunnel"]
ORDER: tuple[TransferMethod, ...] = ("invoke", "copy", "relay", "tunnel")


def choose(
    via: Via, host: str, obstacles: Mapping[TransferMethod, Callable[[], str]]
) -> tuple[TransferMethod, str]:
    """Return the method to use, and the reason as text.

    Args:
        via: The requested method, or `auto` for the first that the host supports.
        host: The host's name.
        obstacles: For each method, a function that returns why it cannot be used, or an
            empty string; called only when needed.

    Raises:
        EngineError: The method, or with `auto` every method, cannot be used.
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
