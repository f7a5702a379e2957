"""Whole images ahead of the engine, for mirrors: many images that share most of what they are.

Blobs that another repository has are mounted from there, the others are sent, and then come the
manifests, by digest, so that the registry itself compares them. What is left to the engine is every
image for which something goes wrong here.

The request is that of the distribution-spec, 'Mounting a blob from another repository'.
"""

import contextlib
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import DocklessError
from dockless.model.reference import Repository
from dockless.ports import Task
from dockless.registry import manifests
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.http import CONNECTIONS
from dockless.registry.shared import Sender

_CREATED, _ACCEPTED = 201, 202


class WholeImages:
    """What goes ahead to one repository, as a `ports.EarlyUploads`.

    Args:
        client: The registry.
        repository: Where to.
        sender: Knows where blobs are, and who is just sending one.
        direct: Sends what no other repository has.
    """

    def __init__(
        self,
        client: RegistryClient,
        repository: Repository,
        sender: Sender,
        direct: Direct,
    ) -> None:
        self._client = client
        self._repository = repository
        self._sender = sender
        self._direct = direct

    def borrow(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount what other repositories have; return which blobs this one surely has now."""
        homes = self._sender.claim(self._repository.host, blobs)
        here = {digest for digest, home in homes.items() if home == self._repository}
        elsewhere = [(digest, home) for digest, home in homes.items() if digest not in here]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            mounted = pool.map(self._mount, elsewhere)
            return dict.fromkeys((*here, *(digest for digest in mounted if digest)), True)

    def learn(self, there: Mapping[Digest, bool]) -> None:
        """Ignore it: nothing is asked here."""
        del there

    def bring(self, content: Content, missing: Mapping[Digest, Path], sending: Task) -> bool:
        """Send the blobs and then the manifests; return whether all of the image is there.

        Raises:
            NetworkError: The registry asks for patience.
        """
        return self._direct.send(content, missing, sending)

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
