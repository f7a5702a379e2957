"""What a mirror and a bundle need from the adapters, as Protocols; a push loads none of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dockless.errors import DocklessError, SourceError
from dockless.model.listed import SyncRegistry
from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.plan import PushResult
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Name, Reference, Repository
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.run import MirrorItem


class ImageLenders(Protocol):
    """The sources of a run, which give one another what their own images leave out."""

    def add(self, image: Image) -> None:
        """Add an image with the blobs that its own source has."""

    def completed(self, image: Image) -> Image:
        """Return an image with what its own source leaves out and another one has."""

    def fault(self, image: Image, digest: Digest) -> DocklessError | None:
        """Return why a blob of a completed image cannot be had; None where it can."""


class ArrivalLog(Protocol):
    """What an interrupted mirror had pushed, and when."""

    def arrived(self, target: Reference, digest: Digest, *, now: bool) -> str | None:
        """Return when an image arrived (RFC 3339); write it down if that was now.

        None for one that was there before this mirror was first run.
        """


class RunLog(ArrivalLog, Protocol):
    """The log by which a run continues an interrupted one."""

    @property
    def begun(self) -> str:
        """When the interrupted run began (RFC 3339); empty where there is none."""

    def had(self, targets: Iterable[Reference]) -> int:
        """Return how many of these had arrived."""

    def begin(self) -> None:
        """Write down that the mirror begins, unless it goes on."""

    def end(self) -> None:
        """Forget the mirror, which is complete."""


class MirrorReceipt(Protocol):
    """The receipt of one mirror."""

    def document(
        self, images: Sequence[MirroredImage], pending: Sequence[PendingImage], *, finished: bool
    ) -> dict[str, object]:
        """Return the receipt: what ended, what has not been tried, and whether it is all."""

    def write(
        self,
        images: Sequence[MirroredImage],
        pending: Sequence[PendingImage],
        *,
        finished: bool,
        last: bool,
    ) -> None:
        """Replace the file of the receipt, if there is one; raise UsageError if it cannot be.

        A pipe gets only the last one: its reader would take the first for all, and one that reads
        no further would hold up the mirror.
        """


class BundleWriter(Protocol):
    """A bundle that is being written."""

    def needs(self, content: Content) -> frozenset[Digest]:
        """Return the blobs of an image that the bundle does not have yet."""

    def hold(self, content: Content, blobs: Mapping[Digest, Path]) -> None:
        """Add the blobs of an image, from a file for each that `needs` named.

        Raises:
            FileNotFoundError: A file is gone.
            LostCopyError: A file is not the blob that it should be.
            PushError: It cannot be written.
        """

    def add(self, names: Iterable[Name], source: str, content: Content) -> bool:
        """Add an image, which is held, under each full name; raise ConflictError if one is taken.

        Return whether one of them is new.

        Args:
            names: Its names in its source.
            source: Where it came from.
            content: What it is.
        """


class MirrorTeam(Protocol):
    """Pushes images, several at once."""

    def push(self, item: MirrorItem) -> PushResult:
        """Push an image; raise DocklessError if it did not arrive."""

    def look(self, items: Sequence[MirrorItem]) -> None:
        """Find out which images arrived before, so that others need not upload their blobs."""

    def settle(self) -> None:
        """See, when all are pushed, that the lists of referrers have what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """

    def knows(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""


class MirrorTarget(Protocol):
    """The registry that is mirrored to."""

    def reach(self, repository: Repository, tags: Sequence[str]) -> None:
        """See that it responds, and that it accepts the credential for a repository.

        Args:
            repository: That of the first image.
            tags: Its tags, which may be asked for.

        Raises:
            DocklessError: It does not respond, or rejects the credential.
        """

    def team(self) -> MirrorTeam:
        """Return what pushes images to it."""


class FolderImages(Protocol):
    """What was found in a folder."""

    @property
    def sources(self) -> Sequence[Path]:
        """The archives, layouts and lists of parts."""

    @property
    def errors(self) -> Mapping[Path, SourceError]:
        """What cannot be read, or is damaged, and why."""

    @property
    def others(self) -> Mapping[Path, str]:
        """Files that are not images, and why."""


class SourceReader(Protocol):
    """Reads sources: those of one registry of a list, or everything else."""

    def reach(self, repository: Repository) -> None:
        """See that a registry responds; raise NetworkError or AuthError where it does not."""

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return every tag of a repository, `host/path`; none when there is no such repository."""

    def has(self, name: str) -> bool:
        """Whether a registry has an image of this name; True where it does not say."""

    def attached(
        self, repository: Repository, digest: Digest, note: Callable[[str], None]
    ) -> Sequence[Reference]:
        """Return the signatures, attestations and SBOMs of a manifest, which may be none."""

    def images(self, text: str, folder: Path, named: str, origin: str) -> tuple[SourceImage, ...]:
        """Return the images of a source.

        Args:
            text: What is asked for.
            folder: What relative paths start from.
            named: The repository of images that have only a tag; empty for the source's name.
            origin: Where a list asks for it; empty for one that was given directly.

        Raises:
            DocklessError: The source is missing, damaged, or has no image.
        """


class SourceReaders(Protocol):
    """What reads the sources of a run."""

    def reader(self, registry: SyncRegistry | None = None) -> SourceReader:
        """Return what reads a registry of a list, or everything else."""

    def search(self, folder: Path) -> FolderImages:
        """Return every archive and layout in a folder."""
