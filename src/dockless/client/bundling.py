"""Creating a bundle: its sources, its lock against other runs, and what is written."""

import os
from pathlib import Path

from msgspec import Struct

from dockless.client.readers import Readers
from dockless.config.source_lists import listed
from dockless.errors import UsageError
from dockless.model.bundle_request import BundleRequest
from dockless.model.listed import Listed
from dockless.processes.terminal import StandardOutput, is_shown
from dockless.sources.bundle_output import check_output, refuse_older
from dockless.sources.input_files import files_of
from dockless.sources.lending import Lenders
from dockless.sources.older_bundle import older_blobs
from dockless.storage import bundle as layout
from dockless.storage.bundle_archive import pack, stream
from dockless.storage.bundle_lock import writing
from dockless.storage.user_folders import source_folder, temporary_folder
from dockless.usecases.bundle.fill import LeftOut, fill
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.given_names import GivenName


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
    request.check()
    if request.to_stdout and is_shown():
        raise UsageError(
            "The archive would go to the terminal.",
            "Redirect standard output to a file or a pipe, or give -o FILE.tar.",
        )
    sources = listed(request.sources, request.files)
    if request.to_stdout:
        return sources
    older = (str(request.since),) if request.since else ()
    named = files_of((*(each.text for each in sources), *older), source_folder())
    inputs = (*named, *request.files)
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
    out, archive = request.out, request.is_archive
    if request.to_stdout:  # it is made where temporary files are
        out = temporary_folder(os.environ) / "dockless-bundle"
    with layout.workplace(out, archive=archive) as folder:
        with writing(out):
            left_out = _filled(folder, request, sources, readers)
            made: tuple[Path, ...] = () if archive else (out,)
            if archive and not request.to_stdout:
                made = pack(folder, out, request.split)
        if request.to_stdout:
            stream(folder, StandardOutput())
    return CreatedBundle(made, left_out)


def _filled(
    folder: Path, request: BundleRequest, sources: tuple[Listed, ...], readers: Readers
) -> LeftOut:
    """Write the layout of a bundle into a folder; return what is not in it."""
    start, reader = source_folder(), readers.of()
    older = older_blobs(reader.opener, request.since, start) if request.since else frozenset()
    written = layout.Bundle(folder, older)
    wishes = Wishes(
        folder=start,
        given=GivenName.parse(request.named),
        referrers=request.referrers,
        note=readers.note,
    )
    left_out = fill(
        written,
        find(readers, sources, wishes),
        Lenders(),
        lambda copies: reader.adapters.prove(copies, read=True),
        keep_going=request.keep_going,
    )
    written.finish()
    return left_out
