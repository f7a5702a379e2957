"""An image sent with nothing asked first: each blob by POST and PUT, then its manifests by digest.

The registry compares all of it with its digest. The requests are those of the distribution-spec,
'POST then PUT' and 'Pushing Manifests'.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import PushError
from dockless.model.manifest import parse_document
from dockless.model.reference import Repository
from dockless.ports import Task
from dockless.registry import manifests
from dockless.registry.client import RegistryClient
from dockless.registry.http import CONNECTIONS, Answer
from dockless.registry.links import Gauge
from dockless.registry.pace import Pace

_CREATED, _ACCEPTED = 201, 202
_CHUNK = 256 * 1024


class Direct:
    """Sends images to one repository.

    Args:
        client: The registry.
        repository: Where to.
        pace: How fast bytes may go.
        gauge: Measures how fast they go.
    """

    def __init__(
        self, client: RegistryClient, repository: Repository, pace: Pace, gauge: Gauge
    ) -> None:
        self._client = client
        self._repository = repository
        self._pace = pace
        self._gauge = gauge

    def send(self, content: Content, blobs: Mapping[Digest, Path], sending: Task) -> bool:
        """Send blobs and then the manifests; return whether all of the image is there.

        Args:
            content: The image.
            blobs: A file for each blob that is sent; the repository has the others.
            sending: Told of the bytes of blobs that went.

        Raises:
            NetworkError: The registry asks for patience.
        """

        def attempt() -> bool:
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                all(pool.map(partial(self._send, sending), blobs.items()))
            # where the registry keeps no list of referrers, crane keeps one in a tag
            return all(self._put(content, digest) for digest in content.children_first())

        return manifests.worked(attempt)

    def _send(self, sending: Task, blob: tuple[Digest, Path]) -> bool:
        digest, path = blob
        begun = self._client.request("POST", self._repository, "blobs/uploads/")
        _expect(begun, _ACCEPTED)
        location = begun.headers.get("Location", "")
        joint = "&" if "?" in location else "?"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
        }
        with path.open("rb", buffering=0) as file:
            url = f"{location}{joint}digest={quote(str(digest))}"
            body = self._chunks(file, sending)
            done = self._client.request("PUT", self._repository, url, headers, body)
        _expect(done, _CREATED)
        return True

    def _put(self, content: Content, digest: Digest) -> bool:
        """Send a manifest, unless it is a referrer that nothing would lead to; return whether."""
        data = content.documents[digest]
        document = parse_document(data)
        if document.subject and not self._client.lists_referrers(self._repository):
            return False
        kind = document.media_type
        return manifests.put(self._client, self._repository, str(digest), data, kind)

    def _chunks(self, file: BinaryIO, sending: Task) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            self._pace.take(len(chunk))
            with self._gauge.sending():
                yield chunk
            sending.advance(len(chunk))
            self._gauge.count(len(chunk))


def _expect(answer: Answer, status: int) -> None:
    """Raise PushError for another status; the engine, which comes next, says what it means."""
    if answer.status != status:
        raise PushError(f"The registry answers {answer.status}.")
