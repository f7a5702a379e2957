"""Creating a bundle: its sources, its lock against other runs, and what is written."""

import os
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.client.readers import Readers
from dockless.config.source_lists import listed
from dockless.model.bundle_request import BundleRequest
from dockless.model.listed import Listed
from dockless.oci.digest import Digest
from dockless.processes.terminal import StandardOutput, is_shown
from dockless.sources.bundle_output import check_request, replaced_parts
from dockless.sources.lending import Lenders
from dockless.sources.older_bundle import older_blobs
from dockless.storage import bundle as layout
from dockless.storage.bundle_archive import pack, stream
from dockless.storage.bundle_lock import writing
from dockless.storage.bundle_replacing import take_place
from dockless.storage.user_folders import source_folder, temporary_folder
from dockless.usecases.bundle.fill import LeftOut, fill
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.given_names import GivenName
from dockless.usecases.overview import Overview


class CreatedBundle(Struct, frozen=True):
    """What was written.

    Attributes:
        files: The folder, the archive, or its parts in order and the list of them; none for
            standard output.
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
    request.check(shown=request.to_stdout and is_shown())
    sources = listed(request.sources, request.files)
    check_request(request, sources, source_folder())
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
    out, archive, overview = request.out, request.is_archive, readers.overview
    here = source_folder()
    if request.to_stdout:  # it is made where temporary files are
        out = temporary_folder(os.environ) / "dockless-bundle"
    replaces = request.force and not archive and not layout.free_of(out)
    with layout.workplace(out, archive=archive, replaces=replaces) as folder:
        with writing(out):
            written = layout.Bundle(folder, _older(request, readers))
            left_out = _filled(written, request, sources, readers)
            with overview.work(out.name) as row:
                row.step("writing")
                written.finish()
                made: tuple[Path, ...] = () if archive else (out,)
                if archive and not request.to_stdout:
                    made = _packed(folder, request, sources)
                elif replaces:
                    take_place(folder, out, partial(check_request, request, sources, here))
        if request.to_stdout:
            stream(folder, StandardOutput())
    return CreatedBundle(made, left_out)


def _packed(folder: Path, request: BundleRequest, sources: tuple[Listed, ...]) -> tuple[Path, ...]:
    """Write the archive or its parts; remove parts of the bundle that they replace."""
    older = replaced_parts(request, sources, source_folder())
    made = pack(
        folder,
        request.out,
        request.split,
        lambda: check_request(request, sources, source_folder()),
    )
    for path in older:
        if path not in made:
            path.unlink(missing_ok=True)
    return made


def _older(request: BundleRequest, readers: Readers) -> Collection[Digest]:
    if request.since is None:
        return ()
    return older_blobs(readers.of().opener, request.since, source_folder())


def _filled(
    written: layout.Bundle, request: BundleRequest, sources: tuple[Listed, ...], readers: Readers
) -> LeftOut:
    """Write the images into a bundle; return what is not in it."""
    wishes = Wishes(
        folder=source_folder(),
        given=GivenName.parse(request.named),
        referrers=request.referrers,
        note=readers.note,
    )
    staging = readers.of().staging
    return fill(
        written,
        find(readers.only(request.platforms), _told(sources, readers.overview), wishes),
        Lenders(),
        lambda copies: staging.prove(copies, read=True),
        readers.overview,
        keep_going=request.keep_going,
    )


def _told(sources: Sequence[Listed], overview: Overview) -> Iterator[Listed]:
    """Yield the sources, each when it is to be read."""
    for number, source in enumerate(sources, 1):
        overview.reading(number, len(sources))
        yield source
