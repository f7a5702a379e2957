"""What happens to the blobs of an image before its writer starts."""

from collections.abc import Collection, Mapping
from pathlib import Path

from dockless.oci.digest import Digest
from dockless.ports import Task


class EarlyUploads:
    """No early uploads: the writer sends everything. What does more overrides this."""

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount blobs that another repository has.

        Returns:
            Whether the repository has them, as far as that is known now and need not be asked.
        """
        del blobs
        return {}

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Record whether the repository has these blobs, so that it is not asked again."""

    def sent_ahead(self) -> int:
        """Return how many bytes were sent so far; `upload` counts those that follow."""
        return 0

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest] | None:
        """Upload what is still missing of an image, and commit all of it.

        Args:
            missing: A file for each blob that the repository lacks; whatever else was sent is
                cancelled.
            sending: Gets the count of the bytes that are sent from now on, or since
                `sent_ahead` was called.

        Returns:
            Those of the blobs that the repository has accepted. Of the others it is not known
            any more whether it has them. None where none was sent.

        Raises:
            StrayError: The registry leads to where nothing may be sent.
        """
        del missing, sending
        return None
