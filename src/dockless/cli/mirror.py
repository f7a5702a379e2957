"""`dockless mirror`: every image of many sources, to one registry."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dockless.cli.help import GroupedCommand
from dockless.cli.options import (
    FORMAT,
    HOW,
    LISTS,
    NAMED,
    PLATFORMS,
    REACH,
    RECEIPT,
    REFERRERS,
    WHO,
    limits,
    parsed_options,
)
from dockless.cli.param_types import completing
from dockless.cli.surroundings import command_spaces, credential_finder
from dockless.client.mirroring import MirrorLogins
from dockless.client.mirroring import mirror as mirror_all
from dockless.config.cascade import project_settings
from dockless.model.ended import MIRRORED
from dockless.model.mirrored import MirrorResult
from dockless.model.options import (
    MAX_PARALLEL,
    PROGRAMS,
    CommandOptions,
    MirrorOptions,
    PushOptions,
)
from dockless.model.printable import json_text
from dockless.processes.terminal import say, tell
from dockless.report.forecast import forecast_document, forecast_text
from dockless.report.help_texts import EPILOGS
from dockless.report.text import result_text
from dockless.storage.user_folders import source_folder
from dockless.usecases.mirror.request import MirrorRequest

_DEFAULTS = MirrorOptions()


@click.command(cls=GroupedCommand, epilog=EPILOGS["mirror"])
@click.argument("sources", nargs=-1, shell_complete=completing("sources"))
@LISTS
@click.option(
    "--to",
    metavar="HOST[/PREFIX]",
    required=True,
    shell_complete=completing("registries"),
    help="Registry, and path prefix, to mirror to.",
)
@NAMED
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
@REFERRERS
@click.option(
    "--parallel",
    type=click.IntRange(1, MAX_PARALLEL),
    default=_DEFAULTS.parallel,
    show_default=True,
    help="Number of images at once.",
)
@click.option(
    "--shard", metavar="INDEX/COUNT", help="Push only this part: INDEX/COUNT, auto or auto/COUNT."
)
@click.option(
    "--resume/--no-resume",
    default=_DEFAULTS.resume,
    show_default=True,
    help="Continue the resume log of an interrupted run, or start a new one. The registry is "
    "asked about every image either way.",
)
@RECEIPT
@FORMAT
def mirror(
    sources: tuple[str, ...],
    files: tuple[Path, ...],
    to: str,
    receipt: Path | None,
    **arguments: object,
) -> None:
    """Push every image of many sources to one registry."""
    request = MirrorRequest(
        sources=sources,
        files=files,
        to=to,
        receipt=receipt,
        folder=source_folder(),
        options=MirrorOptions(**_of(MirrorOptions, arguments)),
    )
    pushing = parsed_options(_of(CommandOptions, arguments))
    done = _mirror(request, pushing)
    _print(done, pushing)
    done.raise_for_failures()


for _option in (*WHO, PLATFORMS, *HOW, *REACH, *limits(MirrorOptions)):
    _option(mirror)


def _of(record: type[PushOptions], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a record of options has, which click made by these names."""
    return {name: arguments[name] for name in record.__struct_fields__ if name in arguments}


def _mirror(request: MirrorRequest, pushing: CommandOptions) -> MirrorResult:
    rules = request.rules(os.environ)
    finder = credential_finder(pushing, project_settings(pushing.username, os.environ))
    logins = MirrorLogins(finder.find, finder.for_target(rules.renaming.host))
    complain = tell if pushing.quiet else None
    return mirror_all(request, rules, logins, command_spaces(pushing, many=MIRRORED), complain)


def _print(done: MirrorResult, pushing: CommandOptions) -> None:
    """Print the result of each image, or the plan of a dry run."""
    unknown, mounts = done.unknown_repositories, pushing.engine not in PROGRAMS
    if pushing.output == "json":
        forecast: dict[str, object] = {}
        if pushing.dry_run:
            forecast = forecast_document(done.results, unknown or (), mounts=mounts)
        say(json_text({**done.receipt, **forecast}))
    elif unknown is not None:
        say(forecast_text(done.results, unknown, mounts=mounts))
    else:
        for each in done.results:
            say(result_text(each))
