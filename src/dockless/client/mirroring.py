"""Many images to one registry, as the command line and the library mirror them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.client.mirror_workers import workers
from dockless.client.readers import Readers
from dockless.client.session import Session
from dockless.client.workspace import Spaces, Workspace
from dockless.config.source_lists import listed
from dockless.credentials.resolve import FindCredential, shared_account
from dockless.errors import DocklessError, UsageError
from dockless.model.counts import share
from dockless.model.listed import Listed
from dockless.model.mirrored import MirrorResult
from dockless.model.options import MirrorOptions
from dockless.model.shard import Shard
from dockless.sources.damaged_parts import damaged_parts
from dockless.sources.input_files import files_of
from dockless.sources.lending import Lenders
from dockless.storage.kept_receipt import Heading, KeptReceipt
from dockless.storage.output_files import refuse_inputs
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.resume_log import ResumeLog
from dockless.usecases.mirror.find_images import Wishes, find
from dockless.usecases.mirror.job import (
    MirrorWork,
    carry_out,
    settled,
    summary,
    tell_lacking,
    unknown_repositories,
    unreached,
    work_of,
)
from dockless.usecases.mirror.receipt_writer import ReceiptWriter
from dockless.usecases.mirror.rules import MirrorRules, mirror_rules
from dockless.usecases.mirror.run import Lost, MirrorItem
from dockless.usecases.mirror.workers import Bounds
from dockless.usecases.push.context import PushRequest


class MirrorRequest(Struct, frozen=True, kw_only=True):
    """What is mirrored, and where to.

    Attributes:
        sources: The sources, as texts.
        files: Lists of further sources.
        to: The registry, and what every repository begins with: HOST or HOST/PREFIX.
        receipt: The file of the receipt; None for none.
        folder: What relative paths start from.
        options: How.
    """

    sources: tuple[str, ...]
    files: tuple[Path, ...]
    to: str
    receipt: Path | None
    folder: Path
    options: MirrorOptions

    def rules(self, environment: Mapping[str, str]) -> MirrorRules:
        """Return the rules; raise UsageError when one is wrong, or nothing is to be mirrored.

        Args:
            environment: Says which part this is, where the shard is `auto`.
        """
        rules = mirror_rules(self.to, self.options, environment)
        if not self.sources and not self.files:
            raise UsageError("There is nothing to mirror.", "Give a SOURCE, or a list with -f.")
        return rules

    def resume_log(self, journals: Path, part: Shard) -> ResumeLog:
        """Return the resume log, shared by runs with the same arguments in the same folder."""
        options = self.options
        named = (self.to, options.named, options.strip, options.maps, options.flatten)
        # its repr, not its text: older versions found their logs by that
        kept = (*named, options.referrers, repr(part))
        asked = (self.folder, self.sources, self.files, options.platform, *kept)
        return ResumeLog(journals, asked, resume=options.resume or options.dry_run)


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
        readers = Readers(stack, _of_sources(options), logins.sources, own)
        asking = stack.enter_context(Session(options, logins.target, own))
        lenders = Lenders()
        wishes = Wishes(
            folder=request.folder,
            given=rules.given,
            referrers=options.referrers,
            note=own.progress.note,
        )
        everything = find(readers, sources, wishes)
        work = work_of(everything, lenders, rules.renaming, rules.part)
        resume_log = _resume_log(request, rules, work, own)
        receipt = KeptReceipt(file, _heading(request, rules, work, own))
        lost = (*work.lost, *_damaged(request, work, own))
        alone = len(work.entries) + len(lost) == 1  # its error is that of the whole
        say = _nothing if alone else complain or own.progress.note
        receipt_writer = ReceiptWriter(receipt, resume_log, say)
        receipt_writer.begin(work.entries, lost)
        if not options.dry_run:
            resume_log.begin()
        try:
            who = _account(asking, work.entries) or logins.target
        except DocklessError as error:
            done, unwritten = unreached(error, work.entries, receipt_writer)
            if unwritten:
                (complain or own.progress.note)(str(unwritten))
            return done
        bounds = Bounds(options.parallel, options.max_connections, options.rate)
        team = stack.enter_context(workers(options, who, space, bounds))
        outcomes = carry_out(work.entries, team, bounds.workers, receipt_writer)
        if options.dry_run:
            tell_lacking(outcomes, lenders, receipt_writer)
        unsettled = settled(team, own.progress.note)
        unwritten = receipt_writer.finish()
        images = receipt_writer.lines()
        error_of_all = summary(images) or unsettled or unwritten
        if unwritten and unwritten is not error_of_all:
            (complain or own.progress.note)(str(unwritten))
        if not (error_of_all or options.dry_run):
            resume_log.end()
        return MirrorResult(
            images=images,
            error=error_of_all,
            receipt=receipt_writer.document(),
            unknown_repositories=unknown_repositories(images, team) if options.dry_run else None,
        )


def _receipt_file(
    request: MirrorRequest, sources: tuple[Listed, ...], stack: ExitStack
) -> ReceiptFile | None:
    """Return the receipt, which no other run may write meanwhile; None for a dry run.

    Raises:
        UsageError: It is one of the sources, or another kind of file, or another run has it.
    """
    if request.receipt is None or request.options.dry_run:
        return None
    named = files_of((each.text for each in sources), request.folder)
    refuse_inputs(request.receipt, "--receipt", (*named, *request.files))
    file = ReceiptFile(request.receipt)
    stack.callback(file.close)
    return file


def _of_sources(options: MirrorOptions) -> MirrorOptions:
    """Return how registries are reached that are read: what is said of the target is not theirs."""
    return replace(options, insecure=False, ca_file=None, cert_dir=None)


def _resume_log(
    request: MirrorRequest, rules: MirrorRules, work: MirrorWork, own: Workspace
) -> ResumeLog:
    """Return the resume log; say what an interrupted run had pushed."""
    found = request.resume_log(own.staging.store.folder / "journals", rules.part)
    if found.begun:
        had = found.had(entry.references[0] for entry in work.entries)
        own.progress.note(
            f"Continuing the mirror started {found.begun}: "
            f"{share(had, len(work.entries), 'image')} had arrived."
        )
    return found


def _heading(
    request: MirrorRequest, rules: MirrorRules, work: MirrorWork, own: Workspace
) -> Heading:
    return Heading(
        target=request.to,
        part=rules.part,
        bundles=work.bundles,
        version_of=lambda name: own.engines().version(name),
    )


def _damaged(request: MirrorRequest, work: MirrorWork, own: Workspace) -> tuple[Lost, ...]:
    """Return the parts of bundles that do not match their lists."""
    found = damaged_parts(work.sources, request.folder, own.progress)
    return tuple(
        Lost(source=source, name="", error=error, is_image=False) for source, error in found
    )


def _account(asking: Session, entries: Sequence[MirrorItem]) -> FindCredential | None:
    """Return the credential for the target's registry, once it responds; None without an image.

    Raises:
        DocklessError: It does not respond, or rejects the credential.
    """
    if not entries:
        return None
    first = entries[0]
    who = shared_account(asking.registry(first.repository).client.account)
    asking.settle(PushRequest(repository=first.repository, tags=first.tags))
    return who


def _nothing(text: str) -> None:
    del text
