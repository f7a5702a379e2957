"""An uploader to the registry in memory."""

import json
from collections.abc import Iterable
from pathlib import Path

from dockless.errors import PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Task, UploadSession
from fakes.journal import Journal
from fakes.registry import FakeRegistry


class FakeUploader:
    """The uploader, as a `ports.RegistryUploader`; like a real registry, it compares digests.

    Attributes:
        sessions: What upload sessions hold, by their location.
    """

    def __init__(self, registry: FakeRegistry, journal: Journal | None = None) -> None:
        self.sessions: dict[str, bytes] = {}
        self._registry = registry
        self._journal = journal or Journal()
        self._begun = 0

    def mount(self, repository: Repository, digest: Digest, source: Repository) -> bool:
        """Have a blob that another repository has."""
        self._journal.step(f"mount {digest}")
        if digest not in self._registry.repositories[source].blobs:
            return False
        self._registry.repositories[repository].blobs.add(digest)
        return True

    def upload(self, repository: Repository, digest: Digest, path: Path, sending: Task) -> None:
        """Have what is in a file, if it has this digest."""
        self._journal.step(f"upload {digest}")
        data = path.read_bytes()
        sending.advance(len(data))
        self._keep(repository, digest, data)

    def stream(
        self, repository: Repository, chunks: Iterable[bytes], size: int | None = None
    ) -> UploadSession:
        """Keep bytes until they are committed."""
        self._journal.step("stream")
        data = b"".join(chunks)
        if size not in (None, len(data)):
            raise PushError(f"{len(data)} bytes came in place of {size}.")
        self._begun += 1
        location = f"session {self._begun}"
        self.sessions[location] = data
        return UploadSession(repository=repository, location=location, size=len(data))

    def commit(self, session: UploadSession, digest: Digest) -> None:
        """Have what a session received, if it has this digest."""
        self._journal.step(f"commit {digest}")
        if session.location not in self.sessions:
            raise PushError(f"There is no {session.location}.")
        self._keep(session.repository, digest, self.sessions.pop(session.location))

    def cancel(self, session: UploadSession) -> None:
        """Forget what a session received."""
        self._journal.step("cancel")
        self.sessions.pop(session.location, None)

    def put_manifest(self, repository: Repository, name: str, data: bytes, media_type: str) -> bool:
        """Have a manifest, if its blobs are there; list no referrers."""
        del media_type
        self._journal.step(f"put {name}")
        held = self._registry.repositories[repository]
        members = json.loads(data)
        for each in (*([members["config"]] if "config" in members else ()), *members["layers"]):
            if Digest.parse(each["digest"]) not in held.blobs:
                raise PushError(f"{repository} lacks {each['digest']}.")
        held.manifests[Digest.of(data)] = data
        if name != str(Digest.of(data)):
            held.tags[name] = Digest.of(data)
        return False

    def _keep(self, repository: Repository, digest: Digest, data: bytes) -> None:
        if not digest.matches(data):
            raise PushError(f"What came is not {digest}.")
        self._registry.repositories[repository].blobs.add(digest)
