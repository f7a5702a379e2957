"""`dockless bundle`: many images in one layout or archive, to carry on a disk."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Literal

import click

from dockless.cli import prompts
from dockless.cli.help import GroupedCommand
from dockless.cli.options import (
    FORMAT,
    LISTS,
    NAMED,
    PATH,
    PLATFORMS,
    REACH,
    RECHECK,
    REFERRERS,
    parsed_options,
)
from dockless.cli.param_types import SIZE, PathType, completing
from dockless.cli.surroundings import command_spaces
from dockless.client.bundling import bundle_sources, create_bundle
from dockless.client.readers import Readers
from dockless.config.cascade import project_settings
from dockless.credentials.credential_finder import CredentialFinder
from dockless.model.bundle_request import BundleRequest
from dockless.model.ended import BUNDLED
from dockless.model.options import CommandOptions
from dockless.model.printable import json_text, one_line
from dockless.processes.terminal import say, tell
from dockless.report.bundles import (
    bundle_document,
    bundle_table,
    left_out_error,
    left_out_lines,
)
from dockless.report.help_texts import EPILOGS
from dockless.sources import bundle as reading
from dockless.sources.bundle_checks import bundle_spec, examined
from dockless.sources.input_files import registries_of
from dockless.storage.bundle_lock import alone
from dockless.storage.user_folders import source_folder


@click.group(epilog=EPILOGS["bundle"])
def bundle() -> None:
    """Create, verify and list bundles: many images in one file or folder."""


@bundle.command(cls=GroupedCommand, epilog=EPILOGS["bundle create"])
@click.argument("sources", nargs=-1, shell_complete=completing("sources"))
@click.option(
    "-o",
    "--output",
    type=PathType(readable=False),
    metavar="OUT",
    required=True,
    help="What to write.",
)
@LISTS
@NAMED
@PLATFORMS
@REFERRERS
@click.option("--split", type=SIZE, help="Split the .tar into parts of at most this size.")
@click.option(
    "--since",
    type=PATH,
    metavar="BUNDLE",
    help="Leave out layers of this older bundle (the bundle, its parts list or its lock file).",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Report and leave out what cannot be found or read, and exit with 8; otherwise nothing "
    "is written.",
)
@click.option("--force", is_flag=True, help="Replace an older bundle of the same name.")
def create(**arguments: object) -> None:
    """Write images into one layout or archive, every blob once."""
    ours = {name: arguments.pop(name) for name in BundleRequest.__struct_fields__}
    request = BundleRequest(**ours)  # type: ignore[arg-type] # click made them by these names
    with nullcontext() if request.to_stdout else alone(request.out):
        sources = bundle_sources(request)
        hosts = registries_of(sources, source_folder())
        with _readers(parsed_options(arguments), hosts) as readers:
            made = create_bundle(request, sources, readers)
    for path in made.files:
        say(one_line(str(path)))
    left_out = made.left_out
    for line in left_out_lines(request.label, left_out.images, left_out.faults):
        tell(line)  # also where --quiet is asked for
    if error := left_out_error(request.label, len(left_out.images), len(left_out.faults)):
        raise error


@bundle.command("list")
@click.argument("source", shell_complete=completing("files"))
@FORMAT
def list_(source: str, output: Literal["text", "json"]) -> None:
    """List the images of a bundle, or of any layout."""
    spec = bundle_spec(source, source_folder())
    with _readers(CommandOptions(quiet=True)) as readers:
        images = tuple(reading.listed(readers.of().opener.files(spec)))
    shown = json_text(bundle_document(images)) if output == "json" else bundle_table(images)
    say(shown)


@bundle.command()
@click.argument("source", shell_complete=completing("files"))
def verify(source: str) -> None:
    """Read every byte of a bundle, and report each problem."""
    spec = bundle_spec(source, source_folder())
    with _readers(CommandOptions()) as readers:
        readers.note(f"checking {source}")
        found = examined(readers.of().opener, spec)
    for line in (*(f"Note: {note}" for note in found.notes), *found.problems):
        tell(line)
    if error := found.error(source):
        raise error
    say(one_line(f"{source}: verified, no problems found."))


for _option in (*REACH, RECHECK):
    _option(create)


@contextmanager
def _readers(options: CommandOptions, hosts: Iterable[str] = ()) -> Iterator[Readers]:
    settings = project_settings(None, os.environ)
    finder = CredentialFinder.of_user(prompts, settings.login)
    find = finder.for_hosts(hosts, "The sources are at")
    with ExitStack() as stack:
        space = stack.enter_context(command_spaces(options, many=BUNDLED))
        own = stack.enter_context(space(""))
        yield Readers(stack, options, find, own)
