"""A head start that brings nothing to the registry."""

from collections.abc import Collection

from dockless.model.digest import Digest
from dockless.ports import Task
from fakes.journal import Journal


class FakeEarlyUploads:
    """What goes ahead of the engine, as a `ports.EarlyUploads`.

    Attributes:
        wanted: What was to be committed, each time.
        lends: The blobs that another repository has.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.lends: frozenset[Digest] = frozenset()
        self.wanted: list[frozenset[Digest]] = []
        self._journal = journal or Journal()

    def borrow(self, blobs: Collection[Digest]) -> frozenset[Digest]:
        """Give what `lends` has."""
        return self.lends & frozenset(blobs)

    def commit(self, wanted: Collection[Digest], sending: Task) -> None:
        """Write down what is wanted."""
        self._journal.step("commit")
        self.wanted.append(frozenset(wanted))
        sending.advance(0)
