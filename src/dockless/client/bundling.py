"""Creating a bundle: its sources, its lock against other runs, and what is written."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from dockless.client.readers import Readers
from dockless.config.source_lists import listed
from dockless.model.bundle_request import BundleRequest
from dockless.model.listed import Listed
from dockless.sources.bundle_output import check_output, refuse_older
from dockless.sources.input_files import inputs_of
from dockless.sources.lending import Lenders
from dockless.sources.older_bundle import older_blobs
from dockless.storage import bundle as layout
from dockless.storage.bundle_archive import pack
from dockless.storage.bundle_lock import writing
from dockless.storage.user_folders import source_folder
from dockless.usecases.bundle.fill import LeftOut, fill
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.given_names import GivenName
from dockless.usecases.overview import Overview


class CreatedBundle(Struct, frozen=True):
    """What was written.

    Attributes:
        files: The folder, the archive, or its parts in order and the list of them.
        left_out: What was asked for, and is not in it.
    """

    files: tuple[Path, ...]
    left_out: LeftOut


def bundle_sources(request: BundleRequest) -> tuple[Listed, ...]:
    """Return every source of a bundle, before anything of them is read.

    Raises:
        UsageError: The request contradicts itself, a list cannot be read, or the bundle would
            replace anything but an older bundle.
    """
    request.check()
    sources = listed(request.sources, request.files)
    older = (str(request.since),) if request.since else ()
    inputs = inputs_of(sources, request.files, source_folder(), *older)
    is_split = request.split is not None
    check_output(request.out, inputs, archive=request.is_archive, split=is_split)
    if not request.force:
        refuse_older(request.out, archive=request.is_archive, split=is_split)
    return sources


def create_bundle(
    request: BundleRequest, sources: tuple[Listed, ...], readers: Readers
) -> CreatedBundle:
    """Write a bundle.

    Args:
        request: What is asked for.
        sources: What `bundle_sources` returned.
        readers: Open the sources.

    Raises:
        DocklessError: A source cannot be read; nothing of the bundle is left.
    """
    out, archive, reader = request.out, request.is_archive, readers.of()
    given = GivenName.parse(request.named)
    overview = readers.overview
    with layout.workplace(out, archive=archive) as folder, writing(out):
        start = source_folder()
        older = older_blobs(reader.opener, request.since, start) if request.since else frozenset()
        written = layout.Bundle(folder, older)
        found = find(
            readers,
            _told(sources, overview),
            Wishes(folder=start, given=given, referrers=request.referrers, note=readers.note),
        )
        left_out = fill(
            written,
            found,
            Lenders(),
            lambda copies: reader.staging.prove(copies, read=True),
            overview,
            keep_going=request.keep_going,
        )
        with overview.work(out.name) as row:
            row.step("writing")
            written.finish()
            made = pack(folder, out, request.split) if archive else (out,)
    return CreatedBundle(made, left_out)


def _told(sources: Sequence[Listed], overview: Overview) -> Iterator[Listed]:
    """Yield the sources, each when it is to be read."""
    for number, source in enumerate(sources, 1):
        overview.reading(number, len(sources))
        yield source
