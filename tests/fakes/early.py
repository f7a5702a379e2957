"""A head start that brings nothing to the registry."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.ports import Task
from fakes.journal import Journal


class FakeEarlyUploads:
    """What goes ahead of the engine, as a `ports.EarlyUploads`.

    Attributes:
        wanted: What was to be brought, each time.
        brings: Brings a whole image; None when that is left to the engine.
        moves: Moves a tag; None when that is left to the engine.
        learned: What it was told of the repository's blobs.
        lends: The blobs that another repository has.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.learned: dict[Digest, bool] = {}
        self.lends: frozenset[Digest] = frozenset()
        self.wanted: list[frozenset[Digest]] = []
        self.brings: Callable[[Content], None] | None = None
        self.moves: Callable[[Content, str], None] | None = None
        self._journal = journal or Journal()

    def borrow(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Give what `lends` has."""
        return dict.fromkeys(self.lends & frozenset(blobs), True)

    def learn(self, there: Mapping[Digest, bool]) -> None:
        """Remember what there is."""
        self.learned |= there

    def bring(self, content: Content, missing: Mapping[Digest, Path], sending: Task) -> bool:
        """Write down what is wanted, and bring it if `brings` says so."""
        self._journal.step("bring")
        self.wanted.append(frozenset(missing))
        sending.advance(0)
        if self.brings:
            self.brings(content)
        return bool(self.brings)

    def move(self, content: Content, tag: str) -> bool:
        """Move the tag if `moves` says how."""
        if not self.moves:
            return False
        self._journal.step(f"move {tag} early")
        self.moves(content, tag)
        return True
