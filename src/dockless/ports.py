"""What the use cases need from the adapters, as Protocols.

Every real adapter, and every fake that stands in for one in a test, is held to these by the
suites in `tests/contract`.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dockless.oci.content import Content, Presence, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Reference, Repository


class Task(Protocol):
    """One piece of long work, whose bytes are counted."""

    def advance(self, count: int) -> None:
        """Count this many more bytes as done."""

    def complete(self) -> None:
        """Mark the work as completed, so that all of it is done, whatever was counted."""

    def finish(self) -> None:
        """Mark the work as ended, successfully or not."""


class Progress(Protocol):
    """Where long work and notes are shown; on stderr, never on stdout."""

    def start(self, what: str, total: int | None) -> Task:
        """Start to show a task of `total` bytes; None when unknown."""

    def note(self, text: str) -> None:
        """Show one line."""


class Image(Protocol):
    """One image of a source."""

    @property
    def digest_is_new(self) -> bool:
        """Whether its manifest is made here, since the source has uncompressed layers."""

    @property
    def known_digest(self) -> Digest | None:
        """Its digest, where that is known although nothing of it was read; else None."""

    def content(self) -> Content:
        """Return what the image is as pushed.

        What is already known is not read again; a layer that was never seen before is read,
        checked and compressed.

        Raises:
            SourceError: The source is damaged or dangerous.
        """

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a file for each of these blobs, reading from the source what is not staged yet.

        Raises:
            SourceError: The source is damaged or dangerous.
        """


class Registry(Protocol):
    """Reading from one registry. Every method raises AuthError or NetworkError."""

    def tag(self, repository: Repository, tag: str) -> Digest | None:
        """Return the digest that a tag refers to, or None when the tag does not exist."""

    def manifest(self, repository: Repository, digest: Digest) -> bytes | None:
        """Return the manifest or index of this digest, compared with it, or None.

        Raises:
            DamagedManifestError: The registry returns other content.
        """

    def said_length(self, repository: Repository, digest: Digest) -> int | None:
        """Return how long a manifest is by the answer to `tag`; None for unknown. Asks nothing."""

    def existing_blobs(self, repository: Repository, blobs: Sequence[Descriptor]) -> Presence:
        """Return which of the blobs the repository has, and whether their length is right."""


class EarlyUploads(Protocol):
    """Uploads before the writer of a registry is started; failures are left to the writer."""

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount blobs that another repository has.

        Returns:
            Whether it has them, as far as that is known now and need not be asked again.
        """

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Record whether the repository has these blobs, so that it is not asked again."""

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Upload what is still missing of an image, and commit all of it.

        Args:
            missing: A file for each blob that the repository lacks; whatever else was sent is
                cancelled.
            sending: Gets the count of the bytes that were sent.

        Returns:
            Those of the blobs that the repository has accepted.
        """


class Engine(Protocol):
    """What writes an image to a registry: crane, skopeo or dockless itself.

    Every method raises its errors.
    """

    @property
    def name(self) -> str:
        """Its name: `crane`, `skopeo` or `direct`."""

    @property
    def tagger(self) -> str:
        """The name of the engine that puts its tags."""

    def push(self, image: StagedImage, repository: Repository, sending: Task) -> None:
        """Push an image by digest, and check the digest that is reported.

        Args:
            image: The image.
            repository: Where to.
            sending: Gets the count of the bytes that are sent.
        """

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""


class Reader(Protocol):
    """What pulls an image of a registry."""

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index, with all its content, into a new layout, unchanged."""
