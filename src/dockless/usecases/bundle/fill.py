"""Images of many sources in one bundle: each added once, those that lack a blob last."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from dockless.errors import AbsentError, DiskError, DocklessError, LostCopyError, SourceError
from dockless.model.ended import ItemEnd
from dockless.model.pins import refuse_wrong_pins
from dockless.model.renaming import full_name
from dockless.oci.content import Content
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.left_out import with_lenders
from dockless.usecases.mirror.mirror_ports import BundleWriter, ImageLenders
from dockless.usecases.mirror.run import Lost, whole_names
from dockless.usecases.overview import Overview
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


def fill(  # noqa: PLR0913 - each is documented, and is a port but the last
    written: BundleWriter,
    found: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    prove: Prove,
    overview: Overview,
    *,
    keep_going: bool,
) -> LeftOut:
    """Add every image; return why some are left out.

    Args:
        written: The bundle.
        found: The images, and what cannot be found or read.
        lenders: Supplies what the source of one image leaves out and that of another one has.
        prove: Compares copies that turned out to be damaged.
        overview: Where each image is shown.
        keep_going: Whether the others are added where an image cannot be.

    Raises:
        DocklessError: Of the first that is lost, unless others are to go in all the same, or if no
            other is there.
    """
    images: list[DocklessError] = []
    faults: list[DocklessError] = []
    count = 0
    for each in _in_turn(_Filling(written, prove, overview), found, lenders):
        error = each.error if isinstance(each, Lost) else each
        if error is None:
            count += 1
        elif isinstance(error, DiskError):  # the next image would meet it, too
            raise error
        elif keep_going:
            (faults if isinstance(each, Lost) and not each.is_image else images).append(error)
        else:
            unwritten = " No bundle was written." if count else ""  # though images were added
            remedy = f"{error.remedy} Or leave it out with --keep-going.{unwritten}".strip()
            raise error.with_context(remedy=remedy) from error
    if not count and (images or faults):
        raise (images or faults)[0]
    return LeftOut(tuple(images), tuple(faults))


class _Filling:
    """A bundle that is filled, image by image."""

    def __init__(self, written: BundleWriter, prove: Prove, overview: Overview) -> None:
        self._written = written
        self._prove = prove
        self._overview = overview

    def lose(self, number: int, lost: Lost) -> None:
        """Count an image that cannot be found or read."""
        if lost.is_image:
            self._end(number, lost.name or lost.source, lost.error)

    def add(self, number: int, each: SourceImage, *, last: bool) -> DocklessError | None:
        """Add an image; return the error of one that cannot be.

        Args:
            number: Its number among all.
            each: The image.
            last: Whether this is the last attempt, though it may lack a blob.
        """
        name = each.names[0] if each.names else each.source
        size: int | None = 0
        error = None
        with self._overview.work(name, each.size):
            try:
                size = _add(self._written, each, self._prove)
            except DocklessError as failure:
                error = failure
        if size is not None and (last or not _is_to_wait(each, error)):
            self._end(number, name, error, size)
        return error

    def _end(self, number: int, name: str, error: DocklessError | None, size: int = 0) -> None:
        failed = ItemEnd(name=name, fate="failed", has_line=False)
        added = ItemEnd(name=name, fate="arrived", sent=size)
        self._overview.ended(number, failed if error else added)


def _in_turn(
    filling: _Filling, found: Iterable[SourceImage | Lost], lenders: ImageLenders
) -> Iterator[DocklessError | Lost | None]:
    """Add every image; yield None for each that is in, and what is lost or the error of the others.

    One that lacks a blob comes last: a source that is named after its own may have it, as an older
    bundle has what one that was made with `--since` leaves out.
    """
    waiting: list[tuple[int, SourceImage]] = []
    for number, each in enumerate(found):
        if isinstance(each, Lost):
            filling.lose(number, each)
            yield each
            continue
        if each.content:
            lenders.add(each.open())
        error = filling.add(number, each, last=False)
        if _is_to_wait(each, error):
            waiting.append((number, each))
        else:
            yield error
    for number, each in waiting:
        yield filling.add(number, with_lenders(each, each.open(), lenders), last=True)


def _is_to_wait(each: SourceImage, error: DocklessError | None) -> bool:
    return bool(each.content) and isinstance(error, AbsentError)


def _add(written: BundleWriter, found: SourceImage, prove: Prove) -> int | None:
    """Add an image under all its names; return how many bytes the bundle lacked of it.

    None for one that is there by these names already, as by another line of a list.
    """
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
            content, size = _held(written, image, found, prove)
        except (FileNotFoundError, LostCopyError):  # what was staged of it is made again, once
            content, size = _held(written, image, found, prove)
        is_new = written.add(names, found.source, content)
    except DocklessError as error:
        raise type(error)(f"{origin}{error.what}", error.remedy) from None
    return size if is_new else None


def _held(
    written: BundleWriter, image: Image, found: SourceImage, prove: Prove
) -> tuple[Content, int]:
    """Write an image's blobs into the bundle; return what it is, and how many bytes it lacked."""
    content = image.content()
    refuse_wrong_pins(found.names, content.root.digest, found.source)
    needed = written.needs(content)
    blobs = image.paths(needed)
    try:
        written.hold(content, blobs)
    except LostCopyError:
        prove([(each, blobs[each.digest]) for each in content.blobs if each.digest in blobs])
        raise
    return content, sum(blob.size for blob in content.blobs if blob.digest in needed)
