"""An image uploaded by dockless itself: each blob by POST and PUT, then its manifests by digest.

The registry compares all of it with its digest. The requests are those of the distribution-spec,
'POST then PUT' and 'Pushing Manifests'.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError, PushError, out_of_time
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import parse_document
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task
from dockless.registry.client import RegistryClient
from dockless.registry.manifests import put_manifest
from dockless.registry.throughput import ThroughputMeter
from dockless.transport.http import CONNECTIONS, Response
from dockless.transport.rate_limit import RateLimiter

if TYPE_CHECKING:
    from dockless.registry.referrers import ReferrersLists

_CREATED, _ACCEPTED = 201, 202
_CHUNK = 256 * 1024


class Direct:
    """Writes images to one repository, as a `ports.Engine`.

    Args:
        client: The registry.
        repository: The repository.
        rate_limiter: How fast bytes may go.
        meter: Measures how fast they go.
        referrers: Returns what updates the referrers tags where the registry has no referrers API.

    Attributes:
        until: The moment, on the clock of `time.monotonic`, when sending ends; None for none.
    """

    name = tagger = "direct"

    def __init__(
        self,
        client: RegistryClient,
        repository: Repository,
        rate_limiter: RateLimiter,
        meter: ThroughputMeter,
        referrers: Callable[[], "ReferrersLists"],
    ) -> None:
        self.until: float | None = None
        self._referrers = referrers
        self._client = client
        self._repository = repository
        self._rate_limiter = rate_limiter
        self._meter = meter
        self._there: dict[Digest, bool] = {}

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Record whether the repository has these blobs, so that it is not asked again."""
        self._there |= there

    def push(self, image: StagedImage, repository: Repository, sending: Task) -> None:
        """Upload the blobs that the repository lacks, and then the manifests.

        Raises:
            DocklessError: The error that the registry responds with.
        """
        files = image.blobs
        unknown = [
            blob
            for blob in image.content.blobs
            if blob.digest in files and blob.digest not in self._there
        ]
        found = self._client.existing_blobs(repository, unknown)
        self._there |= {blob.digest: blob.digest in found.there for blob in unknown}
        lacking = {digest: path for digest, path in files.items() if not self._there[digest]}
        try:
            self.send(image.content, lacking, sending)
        except DocklessError:
            # what has arrived by then is not sent again
            for digest in lacking:
                self._there.pop(digest, None)
            raise

    def send(self, content: Content, blobs: Mapping[Digest, Path], sending: Task) -> None:
        """Upload these blobs without asking first, and then the manifests.

        Args:
            content: The image.
            blobs: A file for each blob that is sent; the repository has the others.
            sending: Gets the count of the bytes that are sent.

        Raises:
            DocklessError: The error that the registry responds with.
        """
        map_concurrently(partial(self._send, sending), blobs.items(), CONNECTIONS, finish=True)
        self._there |= dict.fromkeys(blobs, True)
        for digest in content.children_first():
            data = content.documents[digest]
            document = parse_document(data)
            response = put_manifest(
                self._client, self._repository, str(digest), data, document.media_type
            )
            if document.subject:
                self._referrers().add(self._repository, data, response)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest.

        Raises:
            DocklessError: The error that the registry responds with.
        """
        root = content.root
        put_manifest(self._client, repository, tag, content.documents[root.digest], root.media_type)

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index into a layout, unchanged.

        Raises:
            DocklessError: The error that the registry responds with.
        """
        from dockless.registry.download import download  # noqa: PLC0415 - most sources are files

        download(self._client, source, layout)

    def _send(self, sending: Task, blob: tuple[Digest, Path]) -> None:
        digest, path = blob
        begun = self._client.request("POST", self._repository, "blobs/uploads/")
        self._expect(begun, _ACCEPTED, digest)
        location = begun.headers.get("Location", "")
        if not location:
            raise PushError(
                f"{self._repository.host} begins the upload of {digest} to {self._repository} and "
                "does not say where it goes: its answer has no Location.",
                "Ask whoever runs the registry, or what stands before it, to correct it.",
            )
        joint = "&" if "?" in location else "?"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
        }
        with path.open("rb", buffering=0) as file:
            url = f"{location}{joint}digest={quote(str(digest))}"
            body = self._chunks(file, sending)
            done = self._client.request("PUT", self._repository, url, headers, body)
        self._expect(done, _CREATED, digest)

    def _chunks(self, file: BinaryIO, sending: Task) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            self._rate_limiter.take(len(chunk), self.until)
            if self.until is not None and time.monotonic() > self.until:
                raise out_of_time(self._repository.host)
            with self._meter.sending():
                yield chunk
            sending.advance(len(chunk))
            self._meter.count(len(chunk))

    def _expect(self, response: Response, status: int, blob: Digest) -> None:
        if response.status != status:
            from dockless.registry.refusals import blob_error  # noqa: PLC0415 - rare

            raise blob_error(response, self._repository, blob)
