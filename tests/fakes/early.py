"""Early uploads that bring nothing to the registry."""

from collections.abc import Collection, Mapping
from pathlib import Path

from dockless.oci.digest import Digest
from dockless.ports import Task
from fakes.journal import Journal


class FakeEarlyUploads:
    """What is sent before the engine starts, as a `ports.EarlyUploads`.

    Attributes:
        wanted: What was to be brought, each time.
        brings: The blobs that it says it brought.
        learned: What is known of the repository's blobs.
        lends: The blobs that another repository has.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.learned: dict[Digest, bool] = {}
        self.lends: frozenset[Digest] = frozenset()
        self.wanted: list[frozenset[Digest]] = []
        self.brings: frozenset[Digest] = frozenset()
        self._journal = journal or Journal()

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Give what `lends` has."""
        return dict.fromkeys(self.lends & frozenset(blobs), True)

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Remember what there is."""
        self.learned |= there

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Write down what is wanted, and bring what `brings` says."""
        self._journal.step("upload")
        self.wanted.append(frozenset(missing))
        sending.advance(0)
        return self.brings
