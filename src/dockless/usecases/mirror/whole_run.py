"""One run of a mirror, once its images are found: what is pushed, recorded and told."""

from collections.abc import Callable

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.model.counts import share
from dockless.model.mirrored import MirrorResult
from dockless.usecases.mirror.job import (
    MirrorWork,
    ShownMirror,
    carry_out,
    settled,
    summary,
    tell_lacking,
    unknown_repositories,
    unreached,
)
from dockless.usecases.mirror.mirror_ports import (
    ImageLenders,
    MirrorReceipt,
    MirrorTarget,
    RunLog,
)
from dockless.usecases.mirror.receipt_writer import ReceiptWriter
from dockless.usecases.overview import Overview


class MirrorContext(Struct, frozen=True, kw_only=True):
    """What a run works with.

    Attributes:
        target: The registry that is mirrored to.
        lenders: Supplies what the source of one image leaves out and that of another one has.
        receipt: The receipt.
        log: Records what arrived, for a run that continues this one.
        parallel: How many images are pushed at once.
        dry_run: Whether the registry is only read.
        note: Shows a line.
        complain: Called with why each of several images failed.
        overview: Where it is shown how far the whole is.
    """

    target: MirrorTarget
    lenders: ImageLenders
    receipt: MirrorReceipt
    log: RunLog
    parallel: int
    dry_run: bool
    note: Callable[[str], None]
    complain: Callable[[str], None]
    overview: Overview


def run_mirror(work: MirrorWork, context: MirrorContext) -> MirrorResult:
    """Push every image of a mirror; failures are in the result."""
    _tell_resumed(work, context)
    alone = len(work.items) + len(work.lost) == 1  # its error is that of the whole
    say = _nothing if alone else context.complain
    writer = ReceiptWriter(context.receipt, context.log, say)
    writer.begin(work.items, work.lost)
    if not context.dry_run:
        context.log.begin()
    if work.items:
        first = work.items[0]
        try:
            context.target.reach(first.repository, first.tags)
        except DocklessError as error:
            shown = ShownMirror(writer, context.overview)
            done, unwritten = unreached(error, work, writer, shown)
            if unwritten:
                context.complain(str(unwritten))
            return done
    return _pushed(work, context, writer)


def _pushed(work: MirrorWork, context: MirrorContext, writer: ReceiptWriter) -> MirrorResult:
    """Push the images to a registry that responds."""
    shown = ShownMirror(writer, context.overview)
    shown.begin(work)  # a question for the credential has been answered by now
    team = context.target.team()
    outcomes = carry_out(work.items, team, context.parallel, shown)
    if context.dry_run:
        tell_lacking(outcomes, context.lenders, shown)
    unsettled = settled(team)
    unwritten = writer.finish()
    images = writer.lines()
    error = summary(images, dry_run=context.dry_run) or unsettled or unwritten
    for each in (unsettled, unwritten):
        if each and each is not error:  # which is reported at the end
            context.complain(str(each))
    if not (error or context.dry_run):
        context.log.end()
    return MirrorResult(
        images=images,
        error=error,
        receipt=writer.document(),
        unknown_repositories=unknown_repositories(images, team) if context.dry_run else None,
    )


def _tell_resumed(work: MirrorWork, context: MirrorContext) -> None:
    """Say what an interrupted run had pushed."""
    if context.log.begun:
        had = context.log.had(item.references[0] for item in work.items)
        if had:
            doing = "This would continue" if context.dry_run else "Continuing"
            context.note(
                f"{doing} the mirror started {context.log.begun}: "
                f"{share(had, len(work.items), 'image')} had arrived."
            )


def _nothing(text: str) -> None:
    del text
