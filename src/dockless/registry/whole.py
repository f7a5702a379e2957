"""Whole images ahead of the engine, for mirrors: many images that share most of what they are.

Blobs that another repository has are mounted from there, the others are sent, and then come the
manifests, by digest, so that the registry itself compares them. What is left to the engine is every
image for which something goes wrong here.

The requests are those of the distribution-spec: 'Mounting a blob from another repository', 'POST
then PUT' and 'Pushing Manifests'.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import DocklessError, PushError
from dockless.model.manifest import parse_document
from dockless.model.reference import Repository
from dockless.ports import Task
from dockless.registry import manifests
from dockless.registry.client import RegistryClient
from dockless.registry.http import CONNECTIONS, Answer
from dockless.registry.links import Gauge
from dockless.registry.pace import Pace
from dockless.registry.shared import Sender

_CREATED, _ACCEPTED = 201, 202
_CHUNK = 256 * 1024


class WholeImages:
    """What goes ahead to one repository, as a `ports.EarlyUploads`.

    Args:
        client: The registry.
        repository: Where to.
        sender: Knows where blobs are, and who is just sending one.
        pace: How fast bytes may go.
        gauge: Measures how fast they go.
    """

    def __init__(
        self,
        client: RegistryClient,
        repository: Repository,
        sender: Sender,
        pace: Pace,
        gauge: Gauge,
    ) -> None:
        self._client = client
        self._repository = repository
        self._sender = sender
        self._pace = pace
        self._gauge = gauge

    def borrow(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount what other repositories have; return which blobs this one surely has now."""
        homes = self._sender.claim(self._repository.host, blobs)
        here = {digest for digest, home in homes.items() if home == self._repository}
        elsewhere = [(digest, home) for digest, home in homes.items() if digest not in here]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            mounted = pool.map(self._mount, elsewhere)
            return dict.fromkeys((*here, *(digest for digest in mounted if digest)), True)

    def bring(self, content: Content, missing: Mapping[Digest, Path], sending: Task) -> bool:
        """Send the blobs and then the manifests; return whether all of the image is there.

        Raises:
            NetworkError: The registry asks for patience.
        """

        def attempt() -> bool:
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                all(pool.map(partial(self._send, sending), missing.items()))
            # where the registry keeps no list of referrers, crane keeps one in a tag
            return all(self._put(content, digest) for digest in content.children_first())

        return manifests.worked(attempt)

    def move(self, content: Content, tag: str) -> bool:
        """Make a tag name an image that is there by its digest; return whether it does.

        Raises:
            NetworkError: The registry asks for patience.
        """
        return manifests.move(self._client, self._repository, content, tag)

    def _mount(self, blob: tuple[Digest, Repository]) -> Digest | None:
        digest, home = blob
        query = f"mount={quote(str(digest))}&from={quote(home.path)}"
        with contextlib.suppress(DocklessError):
            answer = self._client.request("POST", self._repository, f"blobs/uploads/?{query}")
            if answer.status == _CREATED:
                return digest
            # a registry that does not mount begins an upload instead
            if answer.status == _ACCEPTED and (location := answer.headers.get("Location", "")):
                self._client.request("DELETE", self._repository, location)
        return None

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
