"""`dockless mirror`: every image of many sources, to one registry."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from msgspec import Struct
from msgspec.structs import replace

from dockless.cli import output, prompts
from dockless.cli.options import FORMAT, HOW, REACH, WHO, parsed_options, shortened
from dockless.cli.sizes import Size
from dockless.cli.workplace import command_spaces
from dockless.client import accounts, prompter
from dockless.client.folders import source_folder
from dockless.client.mirror_lacking import completed, lacking
from dockless.client.mirror_names import GivenName
from dockless.client.mirror_parts import damaged_parts
from dockless.client.mirror_sources import Wishes, find
from dockless.client.mirror_workers import Bounds, Workers, workers
from dockless.client.options import CommandOptions
from dockless.client.output_files import files_of, refuse_inputs
from dockless.client.readers import Readers
from dockless.client.receipt_writer import Heading, ReceiptWriter
from dockless.client.session import Session
from dockless.client.source_lists import Listed, listed
from dockless.client.stores import store
from dockless.errors import DocklessError, PartialError, SourceError, UsageError
from dockless.model.plan import PushResult
from dockless.model.renaming import Map, Renaming
from dockless.model.shard import Shard
from dockless.oci.reference import Repository
from dockless.ports import Progress
from dockless.processes.terminal import say
from dockless.report.forecast import forecast_document, forecast_text
from dockless.report.json import json_text
from dockless.report.text import share
from dockless.storage.receipt import ReceiptLine
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.resume_log import ResumeLog
from dockless.usecases.mirror.run import Lost, MirrorItem, SourceImage, plan
from dockless.usecases.mirror.run import mirror as push_all
from dockless.usecases.push.context import PushRequest

if TYPE_CHECKING:
    from dockless.client.connections import Find

_PATH = click.Path(path_type=Path)


class MirrorOptions(Struct, frozen=True):
    """The arguments of `dockless mirror`, named like the options."""

    sources: tuple[str, ...]
    files: tuple[Path, ...]
    to: str
    named: str | None
    strip: tuple[str, ...]
    maps: tuple[str, ...]
    flatten: bool
    referrers: bool
    parallel: int
    max_connections: int | None
    rate: int | None
    shard: str | None
    receipt: Path | None
    resume: bool
    output: Literal["text", "json"]

    def renaming(self) -> Renaming:
        """Return the rules; raise UsageError when one is wrong."""
        host, _, prefix = self.to.partition("/")
        try:
            Repository.of(host, f"{prefix}/x" if prefix else "x")
            maps = tuple(map(Map.parse, self.maps))
        except ValueError as error:
            raise UsageError(
                f"--to or --map is wrong: {error}.", "Write --to HOST[/PREFIX] and --map 'A/*=B/*'."
            ) from None
        return Renaming(host, prefix, self.strip, maps, self.flatten)

    def bounds(self) -> Bounds:
        """Return the limits on requests to the registry."""
        return Bounds(self.parallel, self.max_connections, self.rate)

    def resume_log(self, folder: Path, pushing: CommandOptions) -> ResumeLog:
        """Return the resume log, shared by runs with the same arguments in the same folder."""
        named = (self.to, self.named, self.strip, self.maps, self.flatten, self.referrers)
        asked = (folder, self.sources, self.files, pushing.platform, *named, self.part())
        resume = self.resume or pushing.dry_run
        return ResumeLog(store(os.environ).folder / "journals", asked, resume=resume)

    def part(self) -> Shard:
        """Return the part to mirror: everything, unless --shard is given."""
        try:
            return Shard.parse(self.shard, os.environ) if self.shard else Shard(0, 1)
        except ValueError as error:
            given = shortened(self.shard or "")
            raise UsageError(f"--shard {given}: {error}.", "Give it as 0/4.") from None


@click.command(
    epilog="""\b
SOURCE is a bundle, an OCI layout or archive, an archive of docker save or podman
save, a folder of these, an image of docker or podman, or docker://REGISTRY/IMAGE.

\b
Examples:
  dockless mirror /media/usb/images --to registry.inside:5000/mirror
  dockless mirror bundle.tar --to registry.inside --strip-prefix docker.io/library
  dockless mirror images/ --to registry.inside --map 'docker.io/library/*=base/*'
  dockless mirror docker://ghcr.io/acme/shop:v2 --to registry.inside
  dockless mirror -f images.txt --to registry.inside --receipt receipt.json
  dockless mirror images/ --to registry.inside --shard auto/4

An image keeps its path and loses its registry's host, unless a rule changes
it. Images that are already there and equal are skipped, so an interrupted
mirror is simply run again.
"""
)
@click.argument("sources", nargs=-1)
@click.option(
    "-f",
    "--file",
    "files",
    type=_PATH,
    multiple=True,
    help="A file that lists sources, one per line.",
)
@click.option(
    "--to", metavar="HOST[/PREFIX]", required=True, help="Registry, and path prefix, to mirror to."
)
@click.option(
    "--as",
    "named",
    metavar="NAME[:TAG]",
    help="Name for images without a full name: the repository, and the tag if given.",
)
@click.option(
    "--strip-prefix",
    "strip",
    metavar="NAME",
    multiple=True,
    help="Remove this prefix from names; repeatable.",
)
@click.option(
    "--map",
    "maps",
    metavar="A/*=B/*",
    multiple=True,
    help="Rename repositories that match; repeatable.",
)
@click.option("--flatten", is_flag=True, help="Join the components of each path with '-'.")
@click.option(
    "--referrers/--no-referrers",
    default=True,
    show_default=True,
    help="Include signatures, attestations and other referrers of each image.",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Number of images at once.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(4, 1024),
    help="Limit on connections to the registry, over all images.",
)
@click.option(
    "--rate", type=Size(), help="Limit on bytes per second to the registry, over all images."
)
@click.option(
    "--shard", metavar="INDEX/COUNT", help="Push only this part: INDEX/COUNT, auto or auto/COUNT."
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Continue the resume log of an interrupted run, or start a new one. The registry is "
    "asked about every image either way.",
)
@click.option("--receipt", type=_PATH, help="Write a receipt to this file, updated during the run.")
@FORMAT
def mirror(**arguments: object) -> None:
    """Push every image of many sources to one registry."""
    names = MirrorOptions.__struct_fields__
    ours = {name: arguments.pop(name) for name in names if name in arguments}
    options = MirrorOptions(**ours)  # type: ignore[arg-type] # click made them by these names
    pushing = parsed_options(arguments, output=options.output)
    if pushing.check_blobs is None:  # a receipt claims what was seen
        pushing = replace(pushing, check_blobs=options.receipt is not None)
    error = _mirror(options, pushing, source_folder())
    if error:
        raise error


for _option in (*WHO, *HOW, *REACH):
    _option(mirror)


def _mirror(options: MirrorOptions, pushing: CommandOptions, folder: Path) -> DocklessError | None:
    """Mirror; return the error that sums up those of the images."""
    renaming, part, given = options.renaming(), options.part(), GivenName.parse(options.named)
    if not options.sources and not options.files:
        raise UsageError("There is nothing to mirror.", "Give a SOURCE, or a list with -f.")
    settings = accounts.project_settings(pushing.username)
    login = prompter.given(prompts, pushing, settings)
    finder = partial(accounts.find, prompts, settings, login)
    elsewhere = partial(accounts.find_for, prompts, renaming.host, settings, login)
    source_options = replace(pushing, insecure=False, ca_file=None, cert_dir=None)
    with ExitStack() as stack:
        sources = listed(options.sources, options.files)
        receipt = _receipt(options, pushing, sources, stack)
        space = stack.enter_context(command_spaces(pushing))
        own = stack.enter_context(space(""))
        readers = Readers(stack, source_options, elsewhere, own)
        asking = stack.enter_context(Session(pushing, finder, own))
        wishes = Wishes(folder, given, options.referrers, own.progress.note)
        found, lost = _found(find(readers, sources, wishes), part)
        planned = plan(completed(found), renaming)
        bundles = {each.source: each.listing for each in found if each.listing}
        entries = _mine(planned.entries, part)
        resume_log = options.resume_log(folder, pushing)
        if resume_log.begun:
            had = resume_log.had(entry.references[0] for entry in entries)
            own.progress.note(
                f"Continuing the mirror started {resume_log.begun}: "
                f"{share(had, len(entries), 'image')} had arrived."
            )
        damaged = tuple(damaged_parts((each.source for each in found), folder, own.progress))
        count = len(entries) + len(lost) + len(planned.lost) + len(damaged)
        receipt_writer = ReceiptWriter(
            receipt,
            Heading(
                target=options.to,
                bundles=bundles,
                version_of=lambda name: own.engines().version(name),
            ),
            resume_log,
            _complaints(pushing, own.progress, count),
        )
        receipt_writer.expect(entries)
        for each in (*lost, *planned.lost, *damaged):
            receipt_writer.leave_out(each)
        receipt_writer.write(finished=False)
        if not pushing.dry_run:
            resume_log.begin()
        who: Find = finder
        if entries:
            try:
                who = _account(asking, entries[0])
            except DocklessError as error:  # it is said once, and stands in each line
                for entry in entries:
                    receipt_writer.note(entry, error)
                receipt_writer.write(finished=True)
                _print(options, pushing, receipt_writer)
                return error
        team = stack.enter_context(workers(pushing, who, space, bounds := options.bounds()))
        _push(entries, team, bounds, receipt_writer, dry_run=pushing.dry_run)
        unsettled = _settled(team, own.progress)
        receipt_writer.write(finished=True)
        summary = _summary(receipt_writer.lines()) or unsettled
        if not (summary or pushing.dry_run):
            resume_log.end()
        _print(options, pushing, receipt_writer, team)
    return summary


def _complaints(pushing: CommandOptions, progress: Progress, count: int) -> Callable[[str], None]:
    """Return what says why images failed; nothing for one alone, whose error ends the command."""
    return output.complaints(pushing, progress) if count > 1 else lambda _: None


def _push(
    entries: Sequence[MirrorItem],
    team: Workers,
    bounds: Bounds,
    receipt_writer: ReceiptWriter,
    *,
    dry_run: bool,
) -> None:
    """Push every image; the receipt of an interrupted mirror lists what has arrived."""
    try:
        outcomes = push_all(entries, team.push, bounds.workers, receipt_writer.tell, team.look)
    except BaseException:
        receipt_writer.break_off()
        receipt_writer.write(finished=False, last=True)
        raise
    if dry_run:
        for entry, error in lacking(outcomes):
            receipt_writer.tell(entry, error)


def _account(asking: Session, first: MirrorItem) -> "Find":
    """Return the credential for the target's registry, once it responds.

    Raises:
        DocklessError: It does not respond, or rejects the credential.
    """
    who = accounts.as_found(asking.registry(first.repository).client.account)
    asking.settle(PushRequest(first.repository, first.tags))
    return who


def _found(
    everything: Iterable[SourceImage | Lost], part: Shard
) -> tuple[tuple[SourceImage, ...], tuple[Lost, ...]]:
    """Return what was found, and what was not.

    Raises:
        DocklessError: What was not may be found by the other parts of this mirror, so that each
            would divide something else, and an image be in no part.
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
    return tuple(found), tuple(lost)


def _receipt(
    options: MirrorOptions, pushing: CommandOptions, sources: tuple[Listed, ...], stack: ExitStack
) -> ReceiptFile | None:
    """Return the receipt, which no other run may write meanwhile.

    Raises:
        UsageError: It is one of the sources, or another kind of file, or another run has it.
    """
    if options.receipt is None:
        return None
    if pushing.dry_run:
        output.remark(pushing, "A dry run writes no receipt.")
        return None
    inputs = (*files_of(sources, source_folder()), *options.files)
    refuse_inputs(options.receipt, "--receipt", inputs)
    file = ReceiptFile(options.receipt)
    stack.callback(file.close)
    return file


def _settled(team: Workers, progress: Progress) -> DocklessError | None:
    """See that what refers to images is listed; return the error where it is not."""
    try:
        team.settle()
    except DocklessError as error:
        progress.note(str(error))
        return error
    return None


def _mine(entries: tuple[MirrorItem, ...], part: Shard) -> tuple[MirrorItem, ...]:
    sizes: dict[Repository, int] = {}
    for entry in entries:
        sizes[entry.repository] = sizes.get(entry.repository, 0) + entry.size
    repositories = part.of(sizes)
    return tuple(entry for entry in entries if entry.repository in repositories)


def _print(
    options: MirrorOptions,
    pushing: CommandOptions,
    receipt_writer: ReceiptWriter,
    team: Workers | None = None,
) -> None:
    """Print the result, or the plan, of each image; without workers the target is down."""
    results = [
        each.outcome for each in receipt_writer.lines() if isinstance(each.outcome, PushResult)
    ]
    document = receipt_writer.document(finished=True)
    if pushing.dry_run:
        places = {each.plan.repository for each in results if not each.unchanged}
        unknown = [place for place in places if team and not team.knows(place)]
        document |= forecast_document(results, unknown)
        if options.output == "text" and team:
            say(forecast_text(results, unknown))
    elif options.output == "text":
        for each in results:
            say(f"{each.plan.repository}@{each.digest}")
    if options.output == "json":
        say(json_text(document))


def _summary(lines: Sequence[ReceiptLine]) -> DocklessError | None:
    failed = [each.outcome for each in lines if isinstance(each.outcome, DocklessError)]
    if not failed:
        return None
    if len(failed) < len(lines):
        remedy = "See their errors above, and run the mirror again."
        if len(failed) == 1:
            remedy = "See its error above, and run the mirror again."
        return PartialError(f"{share(len(failed), len(lines), 'image')} did not arrive.", remedy)
    if len(failed) == 1:
        return failed[0]
    # each was said already; the exit code is that of the first
    return type(failed[0])(
        f"None of the {len(failed)} images arrived.",
        "See their errors above, and run the mirror again.",
    )
