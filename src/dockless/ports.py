"""What the use cases need from the adapters, as Protocols.

Every real adapter, and every fake that stands in for one in a test, is held to these by the
suites in `tests/contract`.
"""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.errors import DocklessError
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


class Steps(Progress, Protocol):
    """Where the work on one of several hosts is shown."""

    def step(self, text: str) -> None:
        """Show what is done now: in the row of the host if it has one, else as a note."""


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


class SourceImage(Struct, frozen=True, kw_only=True):
    """An image of a source.

    Attributes:
        source: The source's name in messages.
        names: What the image is called there.
        bare: The repository of a name that is a tag only.
        size: About how many bytes it has.
        open: Reads it; raises SourceError when it is damaged.
        content: What it is, where that is known before its layers are read.
        listing: The digest of the index.json of its bundle or layout.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
        lock_fault: Why the lock file of its bundle cannot be used; None where it can.
        fault: Why its entry in the source cannot be used, which `open` raises; None where it can.
    """

    source: str
    names: tuple[str, ...]
    bare: str
    size: int
    open: Callable[[], Image]
    content: Content | None = None
    listing: Digest | None = None
    origin: str = ""
    lock_fault: DocklessError | None = None
    fault: DocklessError | None = None

    @property
    def blobs(self) -> frozenset[Digest]:
        """Its configs and layers, where they are known."""
        return (
            frozenset(blob.digest for blob in self.content.blobs) if self.content else frozenset()
        )


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

    def existing_blobs(
        self,
        repository: Repository,
        blobs: Sequence[Descriptor],
        answered: MutableMapping[Digest, Presence] | None = None,
    ) -> Presence:
        """Return which of the blobs the repository has, and whether their length is right.

        Args:
            repository: The repository.
            blobs: The blobs.
            answered: Gets what is known of each blob, also where others fail; those in it are not
                asked for.
        """


class Written(Struct, frozen=True, kw_only=True):
    """What an `ImageWriter` did.

    Attributes:
        writer: The name of what wrote the manifests, and the blobs that were still missing:
            `crane`, `skopeo` or `direct`.
    """

    writer: str


class ImageWriter(Protocol):
    """Writes whole images to repositories of one registry: crane, skopeo or dockless itself.

    Every method raises its errors.
    """

    @property
    def tagger(self) -> str:
        """The name of what puts its tags."""

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest, and check the digest that is reported.

        Args:
            image: The image.
            repository: Where to.
            sending: Gets the count of the bytes that are sent.
        """

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""


class UploadSession(Struct, frozen=True, kw_only=True):
    """Bytes that a registry has received, and that are not a blob yet.

    Attributes:
        repository: The repository.
        location: Where the registry has them.
        size: How many bytes were sent.
    """

    repository: Repository
    location: str
    size: int = 0


class RegistryUploader(Protocol):
    """Writes single blobs and manifests to repositories of one registry.

    Every method raises AuthError, NetworkError or PushError for what the registry does not do.
    """

    def mount(self, repository: Repository, digest: Digest, source: Repository) -> bool:
        """Mount a blob of another repository.

        Returns:
            Whether it is mounted. A registry that has no such blob there, or never mounts, need
            not do it.
        """

    def upload(self, repository: Repository, digest: Digest, path: Path, sending: Task) -> None:
        """Upload a file as a blob.

        Args:
            repository: Where to.
            digest: Its digest, which the registry compares.
            path: The file.
            sending: Gets the count of the bytes that are sent.
        """

    def stream(
        self, repository: Repository, chunks: Iterable[bytes], size: int | None = None
    ) -> UploadSession:
        """Send bytes to a new upload session; they become a blob with `commit`.

        Args:
            repository: Where to.
            chunks: The bytes, which may still be made; empty chunks are skipped. What they raise
                is raised, and the session is cancelled then.
            size: How many bytes they are; None for unknown.
        """

    def commit(self, session: UploadSession, digest: Digest) -> None:
        """Make a blob of what a session has received, if it has this digest."""

    def cancel(self, session: UploadSession) -> None:
        """Discard what a session has received."""

    def put_manifest(self, repository: Repository, name: str, data: bytes, media_type: str) -> bool:
        """Put a manifest or index under its digest or a tag.

        Returns:
            Whether the registry lists it among the referrers of its subject by itself.
        """


class UnfinishedBlob(Protocol):
    """A blob that is read while it is still written."""

    @property
    def blob(self) -> Descriptor | None:
        """What it became; None until it is whole."""

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield it from its beginning; empty chunks while there are no more bytes.

        Raises:
            DocklessError: The rest will not be written.
        """

    def close(self) -> None:
        """End the reading."""


class Reader(Protocol):
    """What pulls an image of a registry."""

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index, with all its content, into a new layout, unchanged."""
