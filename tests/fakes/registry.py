"""A registry in memory."""

from collections import defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

from dockless.oci.content import Content, Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from fakes.journal import Journal


@dataclass(slots=True)
class Held:
    """What one repository holds; `lengths` has those that are not as long as they should be."""

    manifests: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    blobs: set[Digest] = field(default_factory=set)
    lengths: dict[Digest, int] = field(default_factory=dict)


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
        held.lengths.clear()
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

    def said_length(self, repository: Repository, digest: Digest) -> int | None:
        """Return how long a manifest is."""
        data = self.repositories[repository].manifests.get(digest)
        return None if data is None else len(data)

    def existing_blobs(
        self,
        repository: Repository,
        blobs: Sequence[Descriptor],
        answered: MutableMapping[Digest, Presence] | None = None,
    ) -> Presence:
        """Return which of the blobs the repository has, asked for again each time."""
        del answered
        self._journal.step("present")
        held = self.repositories[repository]
        there = [blob for blob in blobs if blob.digest in held.blobs]
        lengths = {blob.digest: held.lengths.get(blob.digest, blob.size) for blob in there}
        damaged = {blob.digest for blob in there if lengths[blob.digest] != blob.size}
        return Presence(
            frozenset(lengths.keys() - damaged), {digest: lengths[digest] for digest in damaged}
        )
