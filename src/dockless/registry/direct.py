"""An image written by dockless itself: the blobs that are missing, and then the manifests.

The registry compares all of it with its digest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.concurrency import map_concurrently
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import parse_document
from dockless.oci.reference import Reference, Repository
from dockless.ports import RegistryUploader, Task, Written
from dockless.registry.client import RegistryClient
from dockless.transport.http import CONNECTIONS

if TYPE_CHECKING:
    from dockless.registry.referrers import ReferrersLists


class Direct:
    """Writes images to one registry without a program, as a `ports.ImageWriter`; reads them, too.

    Args:
        client: The registry.
        uploader: Writes blobs and manifests to it.
        referrers: Returns what updates the referrers tags where the registry has no referrers API.
    """

    name = tagger = "direct"

    def __init__(
        self,
        client: RegistryClient,
        uploader: RegistryUploader,
        referrers: Callable[[], "ReferrersLists"],
    ) -> None:
        self._client = client
        self._uploader = uploader
        self._referrers = referrers

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Upload the blobs that the repository lacks, and then the manifests."""

        def upload(digest: Digest) -> None:
            self._uploader.upload(repository, digest, image.blobs[digest], sending)

        map_concurrently(upload, self._missing(image, repository), CONNECTIONS, finish=True)
        for digest in image.content.children_first():
            data = image.content.documents[digest]
            document = parse_document(data)
            listed = self._uploader.put_manifest(repository, str(digest), data, document.media_type)
            if document.subject and not listed:
                self._referrers().add(repository, data)
        return Written(writer=self.name)

    def _missing(self, image: StagedImage, repository: Repository) -> list[Digest]:
        """Return which of the files are to be uploaded; asked, where that is not known."""
        blobs = [blob for blob in image.content.blobs if blob.digest in image.blobs]
        if image.missing is not None:
            return [blob.digest for blob in blobs if blob.digest in image.missing]
        there = self._client.existing_blobs(repository, blobs).there
        return [blob.digest for blob in blobs if blob.digest not in there]

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image by putting its root under the tag, which is one request."""
        root = content.root
        self._uploader.put_manifest(
            repository, tag, content.documents[root.digest], root.media_type
        )

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index into a layout, unchanged.

        Raises:
            DocklessError: The error that the registry responds with.
        """
        from dockless.registry.download import download  # noqa: PLC0415 - most sources are files

        download(self._client, source, layout)
