"""Early uploads that send nothing to the registry."""

from collections.abc import Collection, Mapping
from pathlib import Path

from dockless.oci.digest import Digest
from dockless.ports import Task
from dockless.usecases.push.early_uploads import EarlyUploads
from fakes.journal import Journal


class FakeEarlyUploads(EarlyUploads):
    """What is sent before the writer starts.

    Attributes:
        wanted: What was to be uploaded, each time.
        uploads: The blobs that it says it uploaded; None for nothing that was tried.
        learned: What is known of the repository's blobs.
        ahead: Bytes that it says it sent before.
        mounts: The blobs that another repository has.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.learned: dict[Digest, bool] = {}
        self.mounts: frozenset[Digest] = frozenset()
        self.wanted: list[frozenset[Digest]] = []
        self.uploads: frozenset[Digest] | None = None
        self.ahead = 0
        self._journal = journal or Journal()

    def sent_ahead(self) -> int:
        """Return what `ahead` says."""
        return self.ahead

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Give what `mounts` has."""
        return dict.fromkeys(self.mounts & frozenset(blobs), True)

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Remember what there is."""
        self.learned |= there

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest] | None:
        """Write down what is wanted, and upload what `uploads` says."""
        self._journal.step("upload")
        self.wanted.append(frozenset(missing))
        sending.advance(0)
        return self.uploads
