"""The state of a repository, with retries.

A registry that was killed while it wrote may fail for good, with status 500, at reading what it was
writing, until that is written again; Docker's does so up to version 2. So there are two ways to
ask: what must be known, and what is taken as not there where the registry only fails at it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial, reduce
from operator import or_

from msgspec import Struct

from dockless.concurrency import map_concurrently
from dockless.errors import DamagedManifestError
from dockless.oci.content import Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Registry
from dockless.retry import RetryPolicy

_AT_ONCE = 4


class RepositoryReader(Struct, frozen=True):
    """What one repository has.

    Attributes:
        registry: Reads it.
        repository: The repository.
        retry_policy: How often and how long it is asked.
    """

    registry: Registry
    repository: Repository
    retry_policy: RetryPolicy

    def tag(self, tag: str) -> Digest | None:
        """Return the digest that a tag refers to, or None when the tag does not exist."""
        return self.retry_policy.call(lambda: self.registry.tag(self.repository, tag))

    def tags(self, tags: Sequence[str]) -> Mapping[str, Digest | None]:
        """Return the digest that each tag names, or None where there is no such tag."""
        return self.retry_policy.call(lambda: self._tags(tags))

    def manifests(self, digests: Iterable[Digest]) -> list[bytes | None]:
        """Return the manifest or index of each digest, or None."""
        ask = partial(self.registry.manifest, self.repository)
        return self.retry_policy.call(lambda: map_concurrently(ask, digests, _AT_ONCE))

    def blobs(self, blobs: Sequence[Descriptor]) -> Presence:
        """Return which of the blobs are there, and whether they are as long as they should be."""
        answered: dict[Digest, Presence] = {}
        return self.retry_policy.call(
            lambda: self.registry.existing_blobs(self.repository, blobs, answered)
        )

    def readable_tag(self, tag: str) -> Digest | None:
        """Return the digest that a tag refers to; None when it does not exist or is unreadable."""
        return self.retry_policy.ask(lambda: self.registry.tag(self.repository, tag), None)

    def readable_tags(self, tags: Sequence[str]) -> Mapping[str, Digest | None]:
        """Return what each tag names, as `readable_tag` does."""
        together = self.retry_policy.ask(lambda: self._tags(tags), None)
        if together is not None:
            return together
        return {tag: self.readable_tag(tag) for tag in tags}

    def readable_manifest(self, digest: Digest) -> bytes | None:
        """Return the manifest or index of this digest; None for none, or an unreadable one.

        A damaged one counts as missing: it is sent again.
        """
        try:
            return self.retry_policy.ask(
                lambda: self.registry.manifest(self.repository, digest), None
            )
        except DamagedManifestError:
            return None

    def readable_blobs(self, blobs: Sequence[Descriptor]) -> Presence:
        """Return what `blobs` does; one that the registry fails to read is not there."""
        answered: dict[Digest, Presence] = {}

        def ask(these: Sequence[Descriptor]) -> Presence | None:
            return self.retry_policy.ask(
                lambda: self.registry.existing_blobs(self.repository, these, answered), None
            )

        together = ask(blobs)
        if together is not None:
            return together
        return reduce(or_, (ask([blob]) or Presence() for blob in blobs), Presence())

    def _tags(self, tags: Sequence[str]) -> Mapping[str, Digest | None]:
        ask = partial(self.registry.tag, self.repository)
        return dict(zip(tags, map_concurrently(ask, tags, _AT_ONCE), strict=True))
