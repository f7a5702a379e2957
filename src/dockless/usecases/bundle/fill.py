"""Images of many sources in one bundle: each added once, those that lack a blob last."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from dockless.errors import AbsentError, DocklessError, LostCopyError, SourceError
from dockless.model.pins import refuse_wrong_pins
from dockless.model.renaming import full_name
from dockless.oci.content import Content
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.left_out import with_lenders
from dockless.usecases.mirror.mirror_ports import BundleWriter, ImageLenders
from dockless.usecases.mirror.run import Lost, whole_names
from dockless.usecases.push.context import Copy

Prove = Callable[[Sequence[Copy]], None]
"""Compares staged copies with the blobs that they should be, byte by byte, and drops what is not;
raises LostCopyError for one that is missing or damaged."""


def fill(
    written: BundleWriter,
    found: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    prove: Prove,
    *,
    keep_going: bool,
) -> list[DocklessError]:
    """Add every image; return why some are left out.

    Args:
        written: The bundle.
        found: The images, and what cannot be found or read.
        lenders: Supplies what the source of one image leaves out and that of another one has.
        prove: Compares copies that turned out to be damaged.
        keep_going: Whether the others are added where an image cannot be.

    Raises:
        DocklessError: Of the first that is lost, unless others are to go in all the same, or if no
            other is there.
    """
    errors: list[DocklessError] = []
    count = 0
    for each in _in_turn(written, found, lenders, prove):
        if each is None:
            count += 1
        elif keep_going:
            errors.append(each)
        else:
            remedy = f"{each.remedy} Or leave it out with --keep-going.".strip()
            raise each.with_context(remedy=remedy) from each
    if not count and errors:
        raise errors[0]
    return errors


def _in_turn(
    written: BundleWriter,
    found: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    prove: Prove,
) -> Iterator[DocklessError | None]:
    """Add every image; yield None for each that is in, and the error of each that is not.

    One that lacks a blob comes last: a source that is named after its own may have it, as an older
    bundle has what one that was made with `--since` leaves out.
    """
    waiting: list[SourceImage] = []
    for each in found:
        if isinstance(each, Lost):
            yield each.error
            continue
        if each.content:
            lenders.add(each.open())
        error = _added(written, each, prove)
        if each.content and isinstance(error, AbsentError):
            waiting.append(each)
        else:
            yield error
    for each in waiting:
        yield _added(written, with_lenders(each, each.open(), lenders), prove)


def _added(written: BundleWriter, each: SourceImage, prove: Prove) -> DocklessError | None:
    try:
        _add(written, each, prove)
    except DocklessError as error:
        return error
    return None


def _add(written: BundleWriter, found: SourceImage, prove: Prove) -> None:
    origin = f"{found.origin}: " if found.origin else ""
    try:
        names = whole_names(found)
        for name in names:
            full_name(name)
    except ValueError as error:
        raise SourceError(
            f"{origin}An image of {found.source} cannot be named: {error}.",
            "Name it with --as NAME:TAG, or leave it out.",
        ) from None
    try:
        image = found.open()
        try:
            content = _held(written, image, found, prove)
        except (FileNotFoundError, LostCopyError):  # what was staged of it is made again, once
            content = _held(written, image, found, prove)
        for name in names:
            written.add(name, found.source, content)
    except DocklessError as error:
        raise type(error)(f"{origin}{error.what}", error.remedy) from None


def _held(written: BundleWriter, image: Image, found: SourceImage, prove: Prove) -> Content:
    """Write an image's blobs into the bundle; return what it is."""
    content = image.content()
    refuse_wrong_pins(found.names, content.root.digest, found.source)
    blobs = image.paths(written.needs(content))
    try:
        written.hold(content, blobs)
    except LostCopyError:
        prove([(each, blobs[each.digest]) for each in content.blobs if each.digest in blobs])
        raise
    return content
