"""A registry in memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.reference import Repository
from fakes.journal import Journal


@dataclass(slots=True)
class Held:
    """What one repository holds."""

    manifests: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    blobs: set[Digest] = field(default_factory=set)


class FakeRegistry:
    """The registry, as a `ports.Registry`.

    Attributes:
        repositories: What each repository holds.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.repositories: dict[Repository, Held] = defaultdict(Held)
        self._journal = journal or Journal()

    def hold(self, repository: Repository, content: Content, *tags: str) -> None:
        """Have an image already, under these tags."""
        held = self.repositories[repository]
        held.manifests |= content.documents
        held.blobs |= {blob.digest for blob in content.blobs}
        held.tags |= dict.fromkeys(tags, content.root.digest)

    def tag(self, repository: Repository, tag: str) -> Digest | None:
        """Return the digest that a tag names."""
        self._journal.step(f"tag {tag}")
        return self.repositories[repository].tags.get(tag)

    def manifest(self, repository: Repository, digest: Digest) -> bytes | None:
        """Return the manifest or index of this digest."""
        self._journal.step("manifest")
        return self.repositories[repository].manifests.get(digest)

    def present(self, repository: Repository, digests: Sequence[Digest]) -> frozenset[Digest]:
        """Return those of the blobs that the repository has."""
        self._journal.step("present")
        return frozenset(digests) & self.repositories[repository].blobs
