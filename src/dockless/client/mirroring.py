"""Many images to one registry, as the command line and the library mirror them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from msgspec import Struct
from msgspec.structs import replace

from dockless.client.mirror_workers import MirrorSessions
from dockless.client.readers import Readers
from dockless.client.session import Session
from dockless.client.workspace import Spaces, Workspace
from dockless.config.source_lists import listed
from dockless.credentials.resolve import FindCredential
from dockless.model.listed import Listed
from dockless.model.mirrored import MirrorResult
from dockless.sources.damaged_parts import damaged_parts
from dockless.sources.input_files import inputs_of
from dockless.sources.lending import Lenders
from dockless.storage.kept_receipt import Heading, KeptReceipt
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.resume_log import ResumeLog
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.job import MirrorWork, work_of
from dockless.usecases.mirror.request import MirrorRequest
from dockless.usecases.mirror.rules import MirrorRules
from dockless.usecases.mirror.run import Lost
from dockless.usecases.mirror.whole_run import MirrorContext, run_mirror


class MirrorLogins(Struct, frozen=True):
    """Who finds credentials.

    Attributes:
        target: For the registry that is mirrored to.
        sources: For those that are read.
    """

    target: FindCredential
    sources: FindCredential


def mirror(
    request: MirrorRequest,
    rules: MirrorRules,
    logins: MirrorLogins,
    spaces: AbstractContextManager[Spaces],
    complain: Callable[[str], None] | None = None,
) -> MirrorResult:
    """Push every image of many sources to one registry.

    Args:
        request: What, and where to.
        rules: What `request.rules` returned.
        logins: Find credentials.
        spaces: Makes workspaces; entered once the lists of sources are read.
        complain: Called with why each of several images failed; None for where progress is shown.

    Raises:
        UsageError: A list or the receipt cannot be used.
        DocklessError: The parts of this mirror may see different sources.
    """
    options = request.options
    if options.check_blobs is None:  # a receipt claims what was seen
        options = replace(options, check_blobs=request.receipt is not None)
    with ExitStack() as stack:
        sources = listed(request.sources, request.files)
        file = _receipt_file(request, sources, stack)
        space = stack.enter_context(spaces)
        own = stack.enter_context(space(""))
        if request.receipt and file is None:
            own.progress.note("A dry run writes no receipt.")
        reading = replace(own, source=True)
        readers = Readers(stack, options.for_sources(), logins.sources, reading)
        asking = stack.enter_context(Session(options, logins.target, own))
        lenders = Lenders()
        wishes = Wishes(
            folder=request.folder,
            given=rules.given,
            referrers=options.referrers,
            note=own.progress.note,
        )
        everything = find(readers.only(options.chosen), sources, wishes)
        work = work_of(everything, lenders, rules.renaming, rules.part)
        target = MirrorSessions(stack, options, logins.target, asking, space)
        context = MirrorContext(
            target=target,
            lenders=lenders,
            receipt=KeptReceipt(file, _heading(request, rules, work, own)),
            log=_resume_log(request, rules, own),
            parallel=target.bounds.workers,
            dry_run=options.dry_run,
            note=own.progress.note,
            complain=complain or own.progress.note,
            overview=own.overview,
        )
        damaged = _damaged(request, work, own)
        return run_mirror(replace(work, lost=(*work.lost, *damaged)), context)


def _receipt_file(
    request: MirrorRequest, sources: tuple[Listed, ...], stack: ExitStack
) -> ReceiptFile | None:
    """Return the receipt, which no other run may write meanwhile; None for a dry run.

    Raises:
        UsageError: It is one of the sources, or another kind of file, or another run has it.
    """
    if request.receipt is None or request.options.dry_run:
        return None
    inputs = inputs_of(sources, request.files, request.folder)
    file = ReceiptFile(request.receipt, inputs=inputs)
    stack.callback(file.close)
    return file


def _resume_log(request: MirrorRequest, rules: MirrorRules, own: Workspace) -> ResumeLog:
    journals, options = own.staging.store.folder / "journals", request.options
    resume = options.resume or options.dry_run
    return ResumeLog(journals, request.identity(rules.part), resume=resume)


def _heading(
    request: MirrorRequest, rules: MirrorRules, work: MirrorWork, own: Workspace
) -> Heading:
    return Heading(
        target=request.to,
        part=rules.part,
        bundles=work.bundles,
        division=work.division,
        version_of=lambda name: own.engines().version(name),
    )


def _damaged(request: MirrorRequest, work: MirrorWork, own: Workspace) -> tuple[Lost, ...]:
    """Return the parts of bundles that do not match their lists."""
    found = damaged_parts(work.sources, request.folder, own.progress)
    return tuple(
        Lost(source=source, name="", error=error, is_image=False) for source, error in found
    )
