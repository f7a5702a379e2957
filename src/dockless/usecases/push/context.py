"""The request and the context of a push."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from dockless.model.plan import TagMoves
from dockless.model.timings import Timings
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.packing import GZIP, Packing
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Progress, Registry
from dockless.retry import RetryPolicy
from dockless.usecases.push.early_uploads import EarlyUploads
from dockless.usecases.push.manifest_format import ManifestFormat
from dockless.usecases.push.repository_reader import RepositoryReader

Copy = tuple[Descriptor, Path]
"""A blob, and the file on this machine that it is sent from."""


class ProveCopies(Protocol):
    """Compares copies that were staged on this machine with the blobs that they should be."""

    def __call__(self, copies: Sequence[Copy], *, read: bool) -> None:
        """Compare them, by length alone or byte by byte where they are `read`, too.

        Raises:
            LostCopyError: One is missing or damaged; `Image.paths` then makes it again.
        """


def _prove_none(copies: Sequence[Copy], *, read: bool) -> None:
    """Take every copy as it is."""


class PushRequest(Struct, frozen=True, kw_only=True):
    """The request of one push.

    Attributes:
        repository: Where to.
        tags: Every tag for the image; none for one that is pushed only by digest.
        immutable: Whether a tag that exists with another digest is an error.
        verify: Whether the registry's copy is read back and compared.
        dry_run: Whether the registry is only read.
        check_blobs: Whether the registry is asked for everything that an image consists of where
            its tags are right already, so that what it lost is sent again.
    """

    repository: Repository
    tags: tuple[str, ...]
    immutable: bool = False
    verify: bool = True
    dry_run: bool = False
    check_blobs: bool = False


class PushContext(Struct, frozen=True, kw_only=True):
    """The context of one push.

    Attributes:
        registry: Reads the registry.
        early: What happens to blobs before the writer starts.
        writer: Returns what writes the image, and puts its tags; most pushes never ask for it. It
            raises why there is none.
        direct: Writes again what the registry lost or cannot read; None where nothing but the
            program of --engine may write.
        lay_out: Writes an OCI layout of a content and the files of its blobs, and returns it.
        progress: Where the work is shown.
        retry_policy: The retries of each step.
        clock: Seconds that only ever grow.
        timings: Gets the duration of each step.
        packing: Says how layers that were not compressed are.
        manifest_format: Which media types manifests get.
        moves: Called with every tag before and after it is updated.
        turn: Gives, for a name, what to hold while a tag is moved: a lock that other processes of
            this user respect, and that a process that is killed leaves open.
        prove: Compares what is sent from this machine, where sending it failed.
        mislabelled: Returns how the bytes of a layer are compressed, if its media type says
            otherwise; empty where it is right.
    """

    registry: Registry
    early: EarlyUploads
    writer: Callable[[], ImageWriter]
    direct: ImageWriter | None
    lay_out: Callable[[Content, Mapping[Digest, Path]], Path]
    progress: Progress
    retry_policy: RetryPolicy
    clock: Callable[[], float]
    timings: Timings = field(default_factory=Timings)
    packing: Callable[[], Packing] = lambda: GZIP
    manifest_format: ManifestFormat = field(default_factory=ManifestFormat)
    moves: TagMoves = field(default_factory=TagMoves)
    turn: Callable[[str], AbstractContextManager[object]] = nullcontext
    prove: ProveCopies = _prove_none
    mislabelled: Callable[[Path, Descriptor], str] = lambda path, blob: ""  # noqa: ARG005

    def reader(self, repository: Repository) -> RepositoryReader:
        """Return the reader of the repository's state."""
        return RepositoryReader(self.registry, repository, self.retry_policy)
