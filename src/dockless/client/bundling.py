"""Creating a bundle: its sources, its lock against other runs, and what is written."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from dockless.client.readers import Readers
from dockless.config.source_lists import listed
from dockless.errors import DocklessError, UsageError
from dockless.model.listed import Listed
from dockless.oci.reference import Reference
from dockless.sources.bundle_output import check_output
from dockless.sources.input_files import files_of
from dockless.sources.lending import Lenders
from dockless.sources.older_bundle import older_blobs
from dockless.sources.spec import parse_source
from dockless.storage import bundle as layout
from dockless.storage.bundle_archive import pack
from dockless.storage.bundle_lock import writing
from dockless.storage.user_folders import source_folder
from dockless.usecases.bundle.fill import fill
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.given_names import GivenName


class BundleRequest(Struct, frozen=True, kw_only=True):
    """What is to go into a bundle, and how it is written.

    Attributes:
        sources: The sources, as for a mirror.
        out: The folder or `.tar` file that is written.
        files: Lists of further sources.
        named: Name for images without a full name: NAME or NAME:TAG; None for none.
        referrers: Whether the referrers of an image are included.
        split: The most bytes of a part of the archive; None for one file.
        since: An older bundle, whose layers are left out; None for none.
        keep_going: Whether what cannot be found or read is left out, in place of the whole bundle.
    """

    sources: tuple[str, ...]
    out: Path
    files: tuple[Path, ...] = ()
    named: str | None = None
    referrers: bool = True
    split: int | None = None
    since: Path | None = None
    keep_going: bool = False

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.out.name.endswith(".tar")

    def listed(self) -> tuple[Listed, ...]:
        """Return every source, before anything of them is read.

        Raises:
            UsageError: The request contradicts itself, a list cannot be read, or the bundle would
                replace anything but an older bundle.
        """
        if self.split and not self.is_archive:
            raise UsageError("--split is for an archive.", "Give -o FILE.tar.")
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put into the bundle.", "Give a SOURCE, or a list with -f."
            )
        if not self.out.parent.is_dir():
            raise UsageError(f"There is no folder {self.out.parent}.", "Make it first.")
        sources = listed(self.sources, self.files)
        older = (str(self.since),) if self.since else ()
        named = files_of((*(each.text for each in sources), *older), source_folder())
        inputs = (*named, *self.files)
        check_output(self.out, inputs, archive=self.is_archive, split=self.split is not None)
        return sources


class CreatedBundle(Struct, frozen=True):
    """What was written.

    Attributes:
        files: The folder, the archive, or its parts in order and the list of them.
        lost: The error of each image that was left out.
    """

    files: tuple[Path, ...]
    lost: tuple[DocklessError, ...]


def registries(sources: Iterable[Listed], folder: Path) -> Iterator[str]:
    """Yield the registries that sources name without a login of their own.

    Args:
        sources: The sources.
        folder: What relative paths start from.
    """
    for each in sources:
        if each.wanted:
            if not each.wanted.registry.credential:
                yield Reference.parse(each.wanted.repository).repository.host
            continue
        with contextlib.suppress(DocklessError):  # which is said where it is read
            if host := parse_source(each.text, folder).registry:
                yield host


def create_bundle(
    request: BundleRequest, sources: tuple[Listed, ...], readers: Readers
) -> CreatedBundle:
    """Write a bundle.

    Args:
        request: What is asked for.
        sources: What `request.listed` returned.
        readers: Open the sources.

    Raises:
        DocklessError: A source cannot be read; nothing of the bundle is left.
    """
    out, archive, reader = request.out, request.is_archive, readers.of()
    given = GivenName.parse(request.named)
    with layout.workplace(out, archive=archive) as folder, writing(out):
        start = source_folder()
        older = older_blobs(reader.opener, request.since, start) if request.since else frozenset()
        written = layout.Bundle(folder, older)
        found = find(
            readers,
            sources,
            Wishes(folder=start, given=given, referrers=request.referrers, note=readers.note),
        )
        lost = fill(
            written,
            found,
            Lenders(),
            lambda copies: reader.adapters.prove(copies, read=True),
            keep_going=request.keep_going,
        )
        written.finish()
        made = pack(folder, out, request.split) if archive else (out,)
    return CreatedBundle(made, tuple(lost))
