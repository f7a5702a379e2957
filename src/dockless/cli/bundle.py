"""`dockless bundle`: many images in one layout or archive, for a disk."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import click

from dockless.cli import accounts
from dockless.cli.lists import listed
from dockless.cli.mirror_sources import find
from dockless.cli.options import FORMAT, REACH, PlatformType, PushOptions, unasked
from dockless.cli.readers import Readers
from dockless.cli.sizes import Size
from dockless.cli.workspaces import workspaces
from dockless.credentials.places import Given
from dockless.layout import bundle as layout
from dockless.mirror import Found, whole_names
from dockless.model.digest import Digest
from dockless.model.errors import SourceError, UsageError
from dockless.model.lock import Locked, read_lock
from dockless.model.platform import Platform
from dockless.model.renaming import full_name
from dockless.processes.regular import read_regular
from dockless.report.bundles import bundle_document, bundle_table
from dockless.report.document import json_text
from dockless.report.text import counted
from dockless.sources import bundle as reading
from dockless.sources.parts import ENDING, read_parts
from dockless.sources.parts import problems as parts_problems
from dockless.sources.spec import parse_source

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """What the command line asks of a bundle; the names are the options' own."""

    sources: tuple[str, ...]
    out: Path
    files: tuple[Path, ...]
    named: str | None
    platform: Platform | None
    referrers: bool
    split: int | None
    since: Path | None

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.out.name.endswith(".tar")

    def check(self) -> None:
        """Raise UsageError for what cannot be."""
        if self.split and not self.is_archive:
            raise UsageError("--split is for an archive.", "Give -o FILE.tar.")
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put in.", "Give a SOURCE, or a list of them with -f."
            )
        if not self.out.parent.is_dir():
            raise UsageError(f"There is no folder {self.out.parent}.", "Make it first.")
        if not self.is_archive and not layout.free_of(self.out):
            raise UsageError(f"{self.out} is not empty.", "Give a new folder.")


@click.group(
    epilog="""\b
Examples:
  dockless bundle create -o disk.tar -f images.txt
  dockless bundle verify disk.tar
  dockless bundle list disk.tar
  dockless mirror disk.tar --to registry.inside
"""
)
def bundle() -> None:
    """Carry many images on a disk."""


@bundle.command(
    epilog="""\b
SOURCE is what `dockless mirror` takes, docker://REGISTRY/IMAGE among it.
OUT is a folder (an OCI layout), or a file that ends in .tar.

\b
Examples:
  dockless bundle create -o disk/ docker://ghcr.io/acme/shop:v2 shop.tar
  dockless bundle create -o disk.tar -f images.txt --split 4G
  dockless bundle create -o news.tar -f images.txt --since disk/bundle.lock.json
"""
)
@click.argument("sources", nargs=-1)
@click.option("-o", "--output", "out", type=_PATH, required=True, help="What to write.")
@click.option("-f", "--file", "files", type=_PATH, multiple=True, help="A list of sources.")
@click.option("--as", "named", metavar="NAME", help="The repository of names that are a tag only.")
@click.option("--platform", type=PlatformType(), help="Take only this one of each index.")
@click.option(
    "--referrers/--no-referrers",
    default=True,
    show_default=True,
    help="Take signatures and whatever else refers to an image along.",
)
@click.option("--split", type=Size(), help="Write a .tar in parts of at most so many bytes.")
@click.option("--since", type=_PATH, help="Leave out layers that this older lock file has.")
def create(**arguments: object) -> None:
    """Write images into one layout or archive, in which every blob stands once."""
    ours = {name: arguments.pop(name) for name in BundleOptions.__slots__}
    asked = BundleOptions(**ours)  # type: ignore[arg-type] # click made them by these names
    asked.check()
    for path in _create(asked, unasked(**arguments, platform=asked.platform)):
        click.echo(path)


def _create(asked: BundleOptions, options: PushOptions) -> tuple[Path, ...]:
    """Write the bundle, and return its files; nothing is left of one that fails."""
    older = _older(asked.since) if asked.since else frozenset()
    out, archive = asked.out, asked.is_archive
    with layout.workplace(out, archive=archive) as folder, _readers(options) as readers:
        written = layout.Bundle(folder, older)
        sources = listed(asked.sources, asked.files)
        for found in find(readers, sources, Path.cwd(), asked.named, referrers=asked.referrers):
            _add(written, found)
        written.finish()
        return layout.pack(folder, out, asked.split) if archive else (out,)


@bundle.command("list")
@click.argument("source")
@FORMAT
def list_(source: str, output: Literal["text", "json"]) -> None:
    """List the images of a bundle, or of any layout."""
    with _readers(unasked(quiet=True)) as readers:
        work = readers.of()
        images = tuple(reading.listed(work.opener.bundle(parse_source(source, Path.cwd()))))
    shown = json_text(bundle_document(images)) if output == "json" else bundle_table(images)
    click.echo(shown)


@bundle.command()
@click.argument("source")
def verify(source: str) -> None:
    """Read every byte of a bundle, and say what is wrong where."""
    with _readers(unasked()) as readers:
        work = readers.of()
        spec = parse_source(source, Path.cwd())
        parts = read_parts(spec.path) if spec.path.name.endswith(ENDING) else ()
        wrong = [problem.what for problem in parts_problems(parts)]
        wrong = wrong or list(reading.problems(work.opener.bundle(spec)))
    for problem in wrong:
        click.echo(problem, err=True)
    if wrong:
        raise SourceError(
            f"{source} is not what it should be: {counted(len(wrong), 'problem')}.",
            "Copy or make it again.",
        )
    click.echo(f"{source}: every byte is as it should be.")


for _option in REACH:
    _option(create)


@contextmanager
def _readers(options: PushOptions) -> Iterator[Readers]:
    settings = accounts.project_settings(None)
    finder = partial(accounts.find, settings, Given("", None, ""))
    with ExitStack() as stack:
        space = stack.enter_context(workspaces(options))
        own = stack.enter_context(space(""))
        yield Readers(stack, options, finder, own)


def _add(written: layout.Bundle, found: Found) -> None:
    image = found.open()
    content = image.content()
    blobs = image.paths(written.needs(content))
    if not found.names:
        raise SourceError(
            f"An image of {found.source} has no name.", "Name it with --as, or leave it out."
        )
    for name in whole_names(found):
        by_digest = name.digest and not name.tag
        whole = f"{full_name(name)}@{name.digest}" if by_digest else ""
        whole = whole or f"{full_name(name)}:{name.tag or 'latest'}"
        written.add(whole, found.source, content, blobs)


def _older(path: Path) -> frozenset[Digest]:
    try:
        images: tuple[Locked, ...] = read_lock(read_regular(path)).images
    except (OSError, ValueError) as error:
        raise UsageError(f"The lock file {path} cannot be used: {error}.") from None
    return frozenset(digest for each in images for digest, _ in each.blobs)
