"""`dockless push`: from the command line to a pushed image."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from dockless.cli import output, prompts
from dockless.cli.help import GroupedCommand
from dockless.cli.host_options import host_options
from dockless.cli.options import parsed_options, push_options
from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.naming import Target
from dockless.config.project import Project, deployed_project
from dockless.errors import DocklessError, LostCopyError, SourceError
from dockless.model.host_options import HostOptions
from dockless.model.options import CommandOptions
from dockless.oci.reference import Name
from dockless.processes.terminal import tell
from dockless.report.help_texts import EPILOGS
from dockless.sources.spec import SourceSpec, parse_source
from dockless.storage.user_folders import source_folder

if TYPE_CHECKING:
    from dockless.model.plan import PushResult
    from dockless.model.timings import Timings
    from dockless.ports import Image
    from dockless.sources.archive import Candidate
    from dockless.sources.opener import Opener


@click.command(cls=GroupedCommand, epilog=EPILOGS["push"])
@push_options
@host_options
def push(**arguments: object) -> None:
    """Push an image to a registry.

    Layers are compressed once; the image is pushed by digest, read back and compared, and only
    then tagged. Content that is already there is neither sent nor exported again.
    """
    names = HostOptions.__struct_fields__
    theirs = {name: arguments.pop(name) for name in names}
    hosts = HostOptions(**theirs)  # type: ignore[arg-type] # click made them by these names
    options = parsed_options(arguments)
    if told := _push(options, hosts):
        raise told


def _push(options: CommandOptions, hosts: HostOptions) -> DocklessError | None:
    """Push; return the error that the result on stdout already reports."""
    options.check()
    if options.receipt and options.check_blobs is None:  # a receipt claims what was seen
        options = replace(options, check_blobs=True)
    if options.digest_file:
        from dockless.storage import digest_file  # noqa: PLC0415 - most pushes write none

        digest_file.check(options.digest_file)
    hosts.check(options)
    spec = parse_source(options.source, source_folder()) if options.source is not None else None
    files = deployed_project(os.environ, options.destination)
    settings = resolve(Flags.of(options), os.environ, files)
    for warning in settings.warnings:
        output.remark(options, f"Warning: {warning}")
    if options.password:
        output.remark(
            options, "Warning: --password is visible in the process list: use --password-stdin."
        )
    if options.explain:
        from dockless.diagnosis.explain import explained  # noqa: PLC0415 - not for a push

        rows, why = explained(options, settings, _bare_name(spec), prompts)
        output.explanation(options, rows, why)
        return why
    if options.remote:
        from dockless.cli.remote import push_remote  # noqa: PLC0415 - it brings paramiko along

        return push_remote(options, hosts, settings, files)
    if options.all_images and spec:
        return _push_all(options, settings, spec)
    if options.build and options.dry_run:
        _plan_build(options, settings, files)
        return None
    return _push_one(options, settings, spec, files)


def _push_one(
    options: CommandOptions, settings: Settings, spec: SourceSpec | None, files: Project
) -> DocklessError | None:
    """Push one image; return why its receipt could not be written after that."""
    from dockless.cli.surroundings import credential_finder, session  # noqa: PLC0415 - --explain needs no network
    from dockless.client.receipts import push_receipt  # noqa: PLC0415 - the same

    settings, target = prompts.target(settings, _bare_name(spec))
    finder = credential_finder(options, settings).for_target(target.repository.value.host)
    for reference in target.references:
        output.remark(options, f"Target: {reference}")

    def choose(opener: "Opener") -> "Image":
        if spec:
            found = opener.chosen(spec, options.platform)
        else:
            found = _local(options, settings, target, files, opener)
        name = next(iter(found.names), typed)
        receipt.begin(label or name, {name: target.references}, listing=found.listing)
        return found.open()

    def deliver(cache: Path | None) -> "tuple[PushResult, Timings]":
        with session(options, finder, cache) as work:
            done = work.deliver(
                target.repository.value, target.tag_names, lambda: choose(work.opener)
            )
        return done, work.timings

    label, typed = (spec.label, spec.name) if spec else ("", "")
    with push_receipt(options, partial(output.remark, options)) as receipt:
        receipt.begin(label, {typed: target.references})
        try:
            done, timings = deliver(None)
        except LostCopyError as error:
            if options.build or (spec and spec.kind == "stdin"):  # neither can be had a second time
                raise
            from dockless.storage.temporary_cache import temporary_cache  # noqa: PLC0415 - rare

            output.remark(options, f"{error.what} It is staged in a temporary folder.")
            with temporary_cache(error) as cache:
                done, timings = deliver(cache)
        receipt.ended(done)
    output.result(options, done, timings)
    return receipt.error


def _local(
    options: CommandOptions, settings: Settings, target: Target, files: Project, opener: "Opener"
) -> "Candidate":
    """Return the local image of a target, built before if that is asked for or agreed to."""
    from dockless.config import local_names  # noqa: PLC0415 - where SOURCE is left out

    names, tool = local_names.local_candidates(settings, target), ""
    if options.build:
        names, tool = _build(options, settings, target, files)
    try:
        found = opener.local(names, options.platform, tool)
    except SourceError as error:
        if options.build or options.dry_run or not _offer_build(error, options):
            raise
        names, tool = _build(options, settings, target, files)
        found = opener.local(names, options.platform, tool)
    if otherwise := local_names.called_otherwise(found.names[0], target):
        output.remark(options, otherwise)
    return found


def _push_all(
    options: CommandOptions, settings: Settings, spec: SourceSpec
) -> DocklessError | None:
    """Push every image by its name; return the error that the result already reports."""
    from dockless.cli.surroundings import credential_finder, session  # noqa: PLC0415 - --explain needs no network
    from dockless.client.receipts import push_receipt  # noqa: PLC0415 - the same
    from dockless.config.own_targets import OwnTargets, check_one_password  # noqa: PLC0415 - rare
    from dockless.model.ended import MIRRORED  # noqa: PLC0415 - the same
    from dockless.sources import source_images  # noqa: PLC0415 - --explain reads no source
    from dockless.usecases.push.all_images import planned, push_each, targets  # noqa: PLC0415 - rare
    from dockless.usecases.push.several import error_of_all  # noqa: PLC0415 - the same

    finder = credential_finder(options, settings)
    note = partial(output.remark, options)
    own = OwnTargets(settings, source_images.stem(spec))
    with (
        push_receipt(options, note) as receipt,
        session(options, finder.find, many=MIRRORED) as work,
    ):
        short, platform = own.host is not None, options.platform
        candidates = source_images.pushed_images(work.opener, spec, platform, short=short)
        images = source_images.whole_source(candidates, spec.label, own.home, own.names, platform)
        found = planned(images, own.reference, note, by_source=short)
        if finder.has_one_password:
            check_one_password(targets(found))
        receipt.begin_all(found, own.host, next((each.listing for each in images), None))
        outcomes = push_each(found, work, work.overview, receipt.note)
    output.outcomes(options, outcomes)
    return error_of_all(outcomes, spec.label) or receipt.error


def _bare_name(spec: SourceSpec | None) -> Name | None:
    if spec is None or not spec.bare:
        return None
    from dockless.sources.source_names import target_name  # noqa: PLC0415 - not for a file

    return target_name(spec.name)


def _offer_build(error: SourceError, options: CommandOptions) -> bool:
    said = prompts.at_terminal()
    if said:  # else nobody is asked, and the error ends the push
        tell(error)
    if prompts.may_build():
        return True
    if said and options.output != "json":
        raise error.with_context("No image was built or pushed.", "") from error
    return False


def _plan_build(options: CommandOptions, settings: Settings, files: Project) -> None:
    """Show what would be built, and which tags would be changed; build nothing."""
    from dockless.cli.surroundings import credential_finder, session  # noqa: PLC0415 - rare
    from dockless.config.recipe import recipe_of  # noqa: PLC0415 - rare
    from dockless.processes.programs import ProgramsHere  # noqa: PLC0415 - rare
    from dockless.sources.build import build_plan  # noqa: PLC0415 - rare

    if options.receipt:
        output.remark(options, "A dry run writes no receipt.")
    settings, target = prompts.target(settings, None)
    plan = build_plan(recipe_of(settings, target, files)[1], ProgramsHere(os.environ))
    where = target.repository.value
    with session(options, credential_finder(options, settings).for_target(where.host)) as work:
        output.build(options, plan, target, work.tags_now(where, target.tag_names))


def _build(
    options: CommandOptions, settings: Settings, target: Target, files: Project
) -> tuple[tuple[str, ...], str]:
    """Build the image; return the names to find it under, and the tool that has it."""
    from dockless.config.recipe import recipe_of  # noqa: PLC0415 - rare
    from dockless.processes.programs import ProgramsHere  # noqa: PLC0415 - rare
    from dockless.sources.build import build  # noqa: PLC0415 - rare

    names, recipe = recipe_of(settings, target, files)
    tool = build(recipe, ProgramsHere(os.environ), lambda line: output.remark(options, line))
    return names, tool
