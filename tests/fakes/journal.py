"""What the fakes were asked, in order, and what is to happen when they are."""

from collections.abc import Callable


class Journal:
    """The steps of one test, shared by all of its fakes.

    Attributes:
        steps: What was asked so far, such as `tag v1` or `push`.
        fails_from: The number of the step from which on every one fails; None for no such step.
    """

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.fails_from: int | None = None
        self._plans: dict[str, list[Callable[[], None]]] = {}

    def on(self, step: str, *events: Callable[[], None] | Exception | None) -> None:
        """Plan what happens at the first, second, … time of a step, before it is done."""
        self._plans[step] = [_event(event) for event in events]

    def step(self, name: str) -> None:
        """Write a step down, and let happen what was planned for it."""
        self.steps.append(name)
        if self.fails_from is not None and len(self.steps) > self.fails_from:
            raise ConnectionAbortedError(name)
        if planned := self._plans.get(name):
            planned.pop(0)()


def _event(event: Callable[[], None] | Exception | None) -> Callable[[], None]:
    if callable(event):
        return event

    def happen() -> None:
        if event:
            raise event

    return happen
