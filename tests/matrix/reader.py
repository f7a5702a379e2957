"""Reads a registry with nothing but HTTP, and believes nothing that it has not hashed itself."""

import base64
import contextlib
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bed.images import INDEX, MANIFEST, digest
from bed.registry import Login
from bed.tokens import SERVICE
from matrix.servers import Server, token_path

Json = dict[str, Any]

_ACCEPTED = (
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tree:
    """An image or index, with all that it consists of.

    Attributes:
        root: The digest of its manifest or index.
        contents: Every manifest, index and blob, by digest.
    """

    root: str
    contents: dict[str, bytes]


class Reader:
    """Reads one repository.

    Args:
        server: The registry.
        repository: The repository's name.
    """

    def __init__(self, server: Server, repository: str) -> None:
        self._host = server.host
        self._repository = repository
        self._authorization = _authorization(server, repository)

    def whole(self, reference: str) -> Tree:
        """Read what a tag or digest names, with every child and blob.

        Raises:
            LookupError: Something is missing.
            ValueError: Something has another digest than it is named by.
        """
        data = self.manifest(reference)
        found = {digest(data): data}
        document = json.loads(data)
        for child in document.get("manifests", ()):
            found |= self.whole(child["digest"]).contents
        blobs = [document["config"], *document["layers"]] if "layers" in document else []
        for blob in blobs:
            if blob["digest"] not in found:
                found[blob["digest"]] = self._got("blobs", blob["digest"])
        return Tree(digest(data), found)

    def manifest(self, reference: str) -> bytes:
        """Return the bytes of a manifest or index."""
        return self._got("manifests", reference)

    def missing(self, tag: str) -> bool:
        """Whether there is no such tag."""
        return self._ask("manifests", tag)[0] == 404

    def referrers(self, subject: str) -> tuple[str, list[Json]]:
        """Return what refers to a manifest, and how that is found: `API`, `tag` or `nowhere`."""
        status, body = self._ask("referrers", subject)
        if status == 200:
            return "API", json.loads(body)["manifests"]
        status, body = self._ask("manifests", subject.replace(":", "-"))
        if status == 200:
            return "tag", json.loads(body)["manifests"]
        return "nowhere", []

    def _got(self, kind: str, reference: str) -> bytes:
        status, body = self._ask(kind, reference)
        if status != 200:
            raise LookupError(f"{self._repository} {kind} {reference}: {status}")
        if ":" in reference and digest(body) != reference:
            raise ValueError(f"{self._repository} {kind} {reference} has another content")
        return body

    def _ask(self, kind: str, reference: str) -> tuple[int, bytes]:
        headers = {"Accept": ", ".join(_ACCEPTED), "User-Agent": "matrix"} | self._authorization
        path = f"/v2/{self._repository}/{kind}/{reference}"
        return _get(self._host, path, headers)


def _authorization(server: Server, repository: str) -> dict[str, str]:
    if server.login is None:
        return {}
    if not server.realm:
        return _basic(server.login)
    host, path = token_path(server.realm)
    query = f"service={quote(SERVICE)}&scope=repository:{repository}:pull"
    status, body = _get(host, f"{path}?{query}", _basic(server.login))
    if status != 200:
        raise LookupError(f"the token service answers {status}")
    return {"Authorization": f"Bearer {json.loads(body)['token']}"}


def _basic(login: Login) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(login).encode()).decode()}


def _get(host: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    with contextlib.closing(http.client.HTTPConnection(host, timeout=_SECONDS)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
