"""The steps of a mirror: what is found, its part, pushing it, and what that comes to."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from dockless.errors import (
    AuthError,
    DocklessError,
    LostCopyError,
    NetworkError,
    PartialError,
    SourceError,
    UsageError,
)
from dockless.model.counts import counted, share
from dockless.model.ended import ItemEnd
from dockless.model.mirrored import MirroredImage, MirrorResult
from dockless.model.plan import PushResult
from dockless.model.renaming import Renaming
from dockless.model.shard import Shard, division_of
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import SourceImage
from dockless.usecases.mirror.left_out import completed, lacking
from dockless.usecases.mirror.mirror_ports import ImageLenders, MirrorTeam
from dockless.usecases.mirror.receipt_writer import ReceiptWriter
from dockless.usecases.mirror.run import Lost, MirrorItem, Outcome, mirror, plan
from dockless.usecases.overview import Overview
from dockless.usecases.push.several import ended

_PAST = ("arrived", "did not arrive")
_PASSING = (AuthError, LostCopyError, NetworkError)
"""Errors that may be gone in the next run, with nothing changed in the sources or options."""


class MirrorWork(Struct, frozen=True, kw_only=True):
    """What one run of a mirror has to do.

    Attributes:
        items: The images of its part.
        lost: What cannot be found or read, or has no target.
        sources: What the sources of all images are called.
        bundles: The digest of the index.json of each bundle or layout.
        division: The digest of the whole that is divided into parts; None where nothing is.
    """

    items: tuple[MirrorItem, ...]
    lost: tuple[Lost, ...]
    sources: tuple[str, ...]
    bundles: Mapping[str, Digest]
    division: Digest | None = None


def work_of(
    everything: Iterable[SourceImage | Lost],
    lenders: ImageLenders,
    renaming: Renaming,
    part: Shard,
) -> MirrorWork:
    """Return what is to be done, once every image was looked for.

    Args:
        everything: The images, and what cannot be found.
        lenders: Supplies what the source of one image leaves out and that of another one has.
        renaming: Gives each image its target.
        part: The part of the mirror.

    Raises:
        DocklessError: What was not found may be found by the other parts of this mirror, so that
            each would divide something else, and an image be in no part.
    """
    found: list[SourceImage] = []
    lost: list[Lost] = []
    for each in everything:
        if isinstance(each, SourceImage):
            found.append(each)
            continue
        lost.append(each)
        if part.count > 1 and not isinstance(each.error, SourceError | UsageError):
            raise type(each.error)(
                each.error.what, f"All parts must see the same sources. {each.error.remedy}".strip()
            )
    planned = plan(completed(found, lenders), renaming)
    sizes: dict[Repository, int] = {}
    for item in planned.items:
        sizes[item.repository] = sizes.get(item.repository, 0) + item.size
    mine = part.of(sizes)
    references = (name for item in planned.items for name in item.references)
    return MirrorWork(
        items=tuple(item for item in planned.items if item.repository in mine),
        lost=(*lost, *planned.lost),
        sources=tuple(each.source for each in found),
        bundles={each.source: each.listing for each in found if each.listing},
        division=division_of(references, sizes) if part.count > 1 else None,
    )


class ShownMirror:
    """The images of a mirror, as they are recorded and shown.

    Args:
        receipt_writer: Called with the outcome of each.
        overview: Where each is shown.
    """

    def __init__(self, receipt_writer: ReceiptWriter, overview: Overview) -> None:
        self._receipt_writer = receipt_writer
        self._overview = overview

    def begin(self, work: MirrorWork) -> None:
        """Count what is to be done, and what cannot be."""
        lost = [each for each in work.lost if each.is_image]
        size = sum(item.size for item in work.items)
        self._overview.expect(len(work.items) + len(lost), size)
        for each in lost:
            failed = ItemEnd(name=each.name or each.source, fate="failed", has_line=False)
            self._overview.ended(each, failed)

    def push(self, item: MirrorItem, team: MirrorTeam) -> PushResult:
        """Push an image."""
        target = item.references[0]
        label = str(target).removeprefix(f"{target.repository.host}/")
        with self._overview.work(str(target), item.size, label):
            return team.push(item)

    def tell(self, item: MirrorItem, outcome: Outcome, again: bool = False) -> None:  # noqa: FBT001, FBT002 - as that of the receipt
        """Record and show the outcome of an image; nothing is shown where it is tried again."""
        self._receipt_writer.tell(item, outcome, again)
        if not again:
            self._end(item, outcome)

    def refuse(self, item: MirrorItem, error: DocklessError) -> None:
        """Record that an image was not tried, for a reason that is reported once for all."""
        self._receipt_writer.note(item, error)
        self._end(item, error)

    def break_off(self) -> None:
        """Report what was not told yet, and write the last receipt, since the mirror ends early."""
        self._receipt_writer.break_off()
        self._receipt_writer.finish(finished=False)

    def _end(self, item: MirrorItem, outcome: Outcome) -> None:
        self._overview.ended(item, ended(str(item.references[0]), outcome))


def carry_out(
    items: Sequence[MirrorItem], team: MirrorTeam, parallel: int, shown: ShownMirror
) -> Mapping[MirrorItem, Outcome]:
    """Push every image; the receipt of an interrupted mirror lists what has arrived.

    Args:
        items: The images.
        team: Pushes them.
        parallel: How many at once.
        shown: Called with the outcome of each.
    """
    try:
        return mirror(items, lambda item: shown.push(item, team), parallel, shown.tell, team.look)
    except BaseException:
        shown.break_off()
        raise


def tell_lacking(
    outcomes: Mapping[MirrorItem, Outcome], lenders: ImageLenders, shown: ShownMirror
) -> None:
    """Record what would fail, after a dry run, since no source and no registry has a blob of it."""
    for item, error in lacking(outcomes, lenders):
        shown.tell(item, error)


def settled(team: MirrorTeam) -> DocklessError | None:
    """See that what refers to images is listed; return the error where it is not."""
    try:
        team.settle()
    except DocklessError as error:
        return error
    return None


def unreached(
    error: DocklessError, work: MirrorWork, receipt_writer: ReceiptWriter, shown: ShownMirror
) -> tuple[MirrorResult, DocklessError | None]:
    """Return what came of a mirror to a registry that cannot be used, which is reported once.

    The second is why the receipt of that could not be written.
    """
    shown.begin(work)
    for item in work.items:
        shown.refuse(item, error)
    unwritten = receipt_writer.finish()
    images = receipt_writer.lines()
    if len(work.items) > 1:
        total = counted(len(work.items), "image")
        error = error.with_context(f"{error.what} Because of that, {total} did not arrive.")
    return MirrorResult(images=images, error=error, receipt=receipt_writer.document()), unwritten


def summary(images: Sequence[MirroredImage], *, dry_run: bool = False) -> DocklessError | None:
    """Return the error that sums up those of the images; None where none failed.

    Args:
        images: The outcome of each.
        dry_run: Whether it is of what would be done.
    """
    failed = [each.error for each in images if each.error and each.is_image]
    faults = [each.error for each in images if each.error and not each.is_image]
    total = sum(each.is_image for each in images)
    count = len(failed) + len(faults)
    its = "its error" if count == 1 else "their errors"
    remedy = f"See {its}, and run the mirror again."
    if not any(isinstance(each, _PASSING) for each in (*failed, *faults)):
        remedy = f"Correct what {its} {'says' if count == 1 else 'say'}, and run the mirror again."
    verb, not_verb = ("would arrive", "would not arrive") if dry_run else _PAST
    if not count:
        return None
    if not failed and total:
        return PartialError(
            f"{share(total, total, 'image')} {verb}, but the sources have "
            f"{counted(len(faults), 'fault')}.",
            remedy,
        )
    if len(failed) < total:
        return PartialError(f"{share(len(failed), total, 'image')} {not_verb}.", remedy)
    if count == 1:
        return (failed or faults)[0]
    # the exit code is that of the first
    none = f"None of the {total} images" if total > 1 else "No image"
    return type((failed or faults)[0])(f"{none} {verb}.", remedy)


def unknown_repositories(
    images: Sequence[MirroredImage], team: MirrorTeam
) -> tuple[Repository, ...]:
    """Return the repositories that the registry lacks, of those that would be pushed to.

    One of which it does not say is not among them.
    """
    results = (each.result for each in images)
    places = {each.plan.repository for each in results if each and not each.unchanged}
    return tuple(sorted(place for place in places if _is_unknown(place, team)))


def _is_unknown(place: Repository, team: MirrorTeam) -> bool:
    try:
        return not team.knows(place)
    except DocklessError:
        return False
