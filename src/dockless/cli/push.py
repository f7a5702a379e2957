"""`dockless push`: from the command line to a pushed image."""

import os
import time
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
from dockless.config.naming import Target, called_otherwise, local_candidates
from dockless.config.naming import target as find_target
from dockless.config.project import Project, deployed_project
from dockless.credentials.credential_finder import CredentialFinder
from dockless.errors import DocklessError, LostCopyError, PartialError, SourceError, UsageError
from dockless.model.host_options import HostOptions
from dockless.model.options import CommandOptions
from dockless.oci.reference import Name
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS
from dockless.sources.spec import SourceSpec, parse_source, target_name
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
    try:
        told = _push(options, hosts)
    except DocklessError as error:
        if options.output == "json" and not isinstance(error, PartialError):
            output.failure(error)
        raise
    if told:
        raise told


def _push(options: CommandOptions, hosts: HostOptions) -> DocklessError | None:
    """Push; return the error that the result on stdout already reports."""
    options.check()
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
        _explain(options, settings, spec)
    elif options.remote:
        from dockless.cli.remote import push_remote  # noqa: PLC0415 - it brings paramiko along

        return push_remote(options, hosts, settings, files)
    elif options.all_images and spec:
        return _push_all(options, settings, spec)
    else:
        _push_one(options, settings, spec, files)
    return None


def _explain(options: CommandOptions, settings: Settings, spec: SourceSpec | None) -> None:
    from dockless.diagnosis.explain import (  # noqa: PLC0415 - not for a push
        all_targets_row,
        credential_rows,
        setting_rows,
        target_rows,
    )

    rows = list(setting_rows(settings))
    if options.all_images:
        return output.explanation([*rows, all_targets_row(settings)])
    try:
        target = find_target(settings, _bare_name(spec))
        credential = credential_rows(
            options,
            settings.account,
            lambda given: CredentialFinder.of_user(prompts, settings.login, given).explain(
                target.repository.value
            ),
        )
        rows += target_rows(settings, target, options.source, credential)
    finally:  # settings that name no target are what the user came to see
        output.explanation(rows)


def _push_one(
    options: CommandOptions, settings: Settings, spec: SourceSpec | None, files: Project
) -> None:
    from dockless.cli.surroundings import credential_finder, session  # noqa: PLC0415 - --explain needs no network

    settings, target = prompts.target(settings, _bare_name(spec))
    finder = credential_finder(options, settings).for_target(target.repository.value.host)
    for reference in target.references:
        output.remark(options, f"Target: {reference}")

    def choose(opener: "Opener") -> "Image":
        if spec:
            return opener.chosen(spec, options.platform).open()
        return _local(options, settings, target, files, opener).open()

    def deliver(options: CommandOptions, cache: Path | None) -> "tuple[PushResult, Timings]":
        with session(options, finder, cache) as work:
            done = work.deliver(
                target.repository.value, target.tag_names, lambda: choose(work.opener)
            )
        return done, work.timings

    begun = time.monotonic()
    try:
        done, timings = deliver(options, None)
    except LostCopyError as error:
        if options.build or (spec and spec.kind == "stdin"):  # neither can be had a second time
            raise
        from dockless.storage.temporary_cache import temporary_cache  # noqa: PLC0415 - rare

        output.remark(options, f"{error.what} It is staged in a temporary folder.")
        left = options.timeout and max(0.001, options.timeout - (time.monotonic() - begun))
        with temporary_cache(error) as cache:
            done, timings = deliver(replace(options, timeout=left), cache)
    output.result(options, done, timings)


def _local(
    options: CommandOptions, settings: Settings, target: Target, files: Project, opener: "Opener"
) -> "Candidate":
    """Return the local image of a target, built before if that is asked for or agreed to."""
    names, tool = local_candidates(settings, target), ""
    if options.build:
        names, tool = _build(options, settings, target, files)
    try:
        found = opener.local(names, options.platform, tool)
    except SourceError as error:
        if options.build or not _offer_build(error, options):
            raise
        names, tool = _build(options, settings, target, files)
        found = opener.local(names, options.platform, tool)
    if otherwise := called_otherwise(found.names[0], target):
        output.remark(options, otherwise)
    return found


def _push_all(
    options: CommandOptions, settings: Settings, spec: SourceSpec
) -> DocklessError | None:
    """Push every image by its name; return the error that the result already reports."""
    from dockless.cli.surroundings import credential_finder, session  # noqa: PLC0415 - --explain needs no network
    from dockless.config.own_targets import (  # noqa: PLC0415 - rare
        check_one_password,
        own_place,
        pushed_names,
    )
    from dockless.config.setting import Setting  # noqa: PLC0415 - the same
    from dockless.model.ended import MIRRORED  # noqa: PLC0415 - the same
    from dockless.sources.archive import named_images  # noqa: PLC0415 - --explain reads no source
    from dockless.sources.source_images import stem  # noqa: PLC0415 - the same
    from dockless.usecases.push.several import error_of_all, push_each  # noqa: PLC0415 - rare

    finder = credential_finder(options, settings)
    if settings.to and stem(spec):  # as in a mirror, a bare tag is one of the source's name
        settings = replace(settings, project=lambda: Setting(stem(spec), "SOURCE"))
    names_of = partial(pushed_names, settings)
    with session(options, finder.find, many=MIRRORED) as work:
        candidates = work.opener.images(spec, options.platform)
        if finder.has_one_password:
            names = [name for each in candidates for name in names_of(each.names)]
            check_one_password(settings, names)
        images = named_images(candidates, spec.label, names_of)
        outcomes = push_each(images, partial(own_place, settings), work.push, work.overview)
    output.outcomes(options, outcomes)
    return error_of_all(outcomes, spec.label)


def _bare_name(spec: SourceSpec | None) -> Name | None:
    return target_name(spec.name) if spec and spec.bare else None


def _offer_build(error: SourceError, options: CommandOptions) -> bool:
    said = prompts.at_terminal()
    if said:  # else nobody is asked, and the error ends the push
        say(error, err=True)
    if prompts.may_build():
        return True
    if said and options.output != "json":
        raise error.with_context("No image was built or pushed.", "") from error
    return False


def _build(
    options: CommandOptions, settings: Settings, target: Target, files: Project
) -> tuple[tuple[str, ...], str]:
    """Build the image; return the names to find it under, and the tool that has it."""
    from dockless.config import compose  # noqa: PLC0415 - rare
    from dockless.processes.programs import ProgramsHere  # noqa: PLC0415 - rare
    from dockless.sources.build import Recipe, build  # noqa: PLC0415 - rare

    composed = compose.find(files.folder)
    names: tuple[str, ...] = (f"{settings.project().value}:{target.tags[0].value}",)
    if composed:
        names = tuple(name.value for name in settings.compose_images())
        if not names:
            raise UsageError(
                f"{composed.name} builds several images, or none.",
                "Build them with compose, and give the image to push as SOURCE.",
            )
    recipe = Recipe(
        folder=files.folder, image=names[0], compose=composed, builder=files.deploy.builder
    )
    tool = build(recipe, ProgramsHere(os.environ), lambda line: output.remark(options, line))
    return names, tool
