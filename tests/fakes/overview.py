"""The work on many images or hosts, which is only written down."""

from collections.abc import Hashable

from dockless.model.ended import ItemEnd
from dockless.ports import Progress
from dockless.usecases.overview import Unshown
from fakes.progress import FakeProgress


class FakeOverview(Unshown):
    """What was shown, as a `usecases.overview.Overview`.

    Attributes:
        expected: How many there are, and how many bytes they have.
        sources: Which sources were read.
        begun: The names of what was worked on, with their sizes.
        items: What is done, by its key.
        shown: The same, in the order in which it was told.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        super().__init__(progress or FakeProgress())
        self.expected: tuple[int, int] | None = None
        self.sources: list[tuple[int, int]] = []
        self.begun: list[tuple[str, int]] = []
        self.items: dict[Hashable, ItemEnd] = {}
        self.shown: list[ItemEnd] = []

    def expect(self, count: int, size: int = 0) -> None:
        """Remember them."""
        self.expected = (count, size)

    def reading(self, source: int, sources: int) -> None:
        """Remember it."""
        self.sources.append((source, sources))

    def work(self, name: str, size: int = 0, label: str = "") -> Unshown:
        """Remember it."""
        self.begun.append((name, size))
        return super().work(name, size, label)

    def ended(self, key: Hashable, item: ItemEnd) -> None:
        """Remember it."""
        self.items[key] = item
        self.shown.append(item)
