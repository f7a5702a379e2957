"""Mounting, for mirrors: many images that share most of what they are.

Blobs that another repository has are mounted from there; the writer sends the others.
"""

from collections.abc import Collection, Mapping

from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import RegistryUploader
from dockless.usecases.mirror.blob_claims import BlobClaims
from dockless.usecases.push.early_uploads import EarlyUploads

_AT_ONCE = 8


class Mounts(EarlyUploads):
    """The mounts of one repository.

    Args:
        repository: Where to.
        uploader: Mounts.
        claims: Knows where blobs are, and who is just sending one.
        until: The moment, on the clock of `time.monotonic`, when waiting for others ends.
    """

    def __init__(
        self,
        repository: Repository,
        uploader: RegistryUploader,
        claims: BlobClaims,
        until: float | None = None,
    ) -> None:
        self._repository = repository
        self._uploader = uploader
        self._claims = claims
        self._until = until

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount blobs of other repositories; return which blobs this one certainly has now."""
        homes = self._claims.claim(self._repository.host, blobs, self._until)
        here = {digest for digest in homes if self._claims.saw(self._repository, digest)}
        elsewhere = [
            (digest, home)
            for digest, home in homes.items()
            if digest not in here and home != self._repository
        ]
        mounted = map_concurrently(self._mounted, elsewhere, _AT_ONCE, finish=True)
        return dict.fromkeys((*here, *(digest for digest in mounted if digest)), True)

    def _mounted(self, blob: tuple[Digest, Repository]) -> Digest | None:
        digest, home = blob
        try:
            return digest if self._uploader.mount(self._repository, digest, home) else None
        except DocklessError:
            # the writer sends it, and if that fails as well, its error is the one that counts
            return None
