"""Mounting, for mirrors: many images that share most of what they are.

Blobs that another repository has are mounted from there; the writer sends the others.

The request is that of the distribution-spec, 'Mounting a blob from another repository'.
"""

import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import quote

from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Task
from dockless.registry.blob_claims import BlobClaims
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.transport.http import CONNECTIONS

_CREATED, _ACCEPTED = 201, 202


class WholeImages:
    """The mounts of one repository, as a `ports.EarlyUploads`.

    Args:
        client: The registry.
        repository: Where to.
        claims: Knows where blobs are, and who is just sending one.
        direct: Sends what no other repository has.
        until: The moment, on the clock of `time.monotonic`, when waiting for others ends.
    """

    def __init__(
        self,
        client: RegistryClient,
        repository: Repository,
        claims: BlobClaims,
        direct: Direct,
        until: float | None = None,
    ) -> None:
        self._client = client
        self._repository = repository
        self._claims = claims
        self._direct = direct
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
        mounted = map_concurrently(self._mount, elsewhere, CONNECTIONS, finish=True)
        return dict.fromkeys((*here, *(digest for digest in mounted if digest)), True)

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Tell the writer which blobs the repository has."""
        self._direct.mark_present(there)

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Do nothing, as nothing is sent before the writer starts."""
        del missing, sending
        return frozenset()

    def _mount(self, blob: tuple[Digest, Repository]) -> Digest | None:
        digest, home = blob
        query = f"mount={quote(str(digest))}&from={quote(home.path)}"
        with contextlib.suppress(DocklessError):
            response = self._client.request("POST", self._repository, f"blobs/uploads/?{query}")
            if response.status == _CREATED:
                return digest
            # a registry that does not mount begins an upload instead
            if response.status == _ACCEPTED and (location := response.headers.get("Location", "")):
                self._client.request("DELETE", self._repository, location)
        return None
