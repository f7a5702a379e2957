"""Images of many sources in one bundle: each added once, those that lack a blob last."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

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


class LeftOut(Struct, frozen=True):
    """What is not in a bundle, though it was asked for.

    Attributes:
        images: The error of each image that is left out.
        faults: What else is damaged in the sources, such as the lock file of a bundle.
    """

    images: tuple[DocklessError, ...]
    faults: tuple[DocklessError, ...]


def fill(
    written: BundleWriter,
    found: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    prove: Prove,
    *,
    keep_going: bool,
) -> LeftOut:
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
    images: list[DocklessError] = []
    faults: list[DocklessError] = []
    count = 0
    for each in _in_turn(written, found, lenders, prove):
        error = each.error if isinstance(each, Lost) else each
        if error is None:
            count += 1
        elif keep_going:
            (faults if isinstance(each, Lost) and not each.is_image else images).append(error)
        else:
            remedy = f"{error.remedy} Or leave it out with --keep-going.".strip()
            raise error.with_context(remedy=remedy) from error
    if not count and (images or faults):
        raise (images or faults)[0]
    return LeftOut(tuple(images), tuple(faults))


def _in_turn(
    written: BundleWriter,
    found: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    prove: Prove,
) -> Iterator[DocklessError | Lost | None]:
    """Add every image; yield None for each that is in, and what is lost or the error of the others.

    One that lacks a blob comes last: a source that is named after its own may have it, as an older
    bundle has what one that was made with `--since` leaves out.
    """
    waiting: list[SourceImage] = []
    for each in found:
        if isinstance(each, Lost):
            yield each
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
