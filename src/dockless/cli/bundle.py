"""`dockless bundle`: many images in one layout or archive, to carry on a disk."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct
from msgspec.structs import replace

from dockless.cli import prompts
from dockless.cli.options import FORMAT, REACH, RECHECK, PlatformType, parsed_options
from dockless.cli.sizes import Size
from dockless.cli.workplace import command_spaces
from dockless.client import accounts
from dockless.client.bundle_checks import bundle_spec, examined
from dockless.client.bundle_output import check_output
from dockless.client.folders import source_folder
from dockless.client.mirror_names import GivenName
from dockless.client.mirror_sources import Wishes, find
from dockless.client.options import CommandOptions
from dockless.client.output_files import files_of, files_of_source
from dockless.client.readers import Readers
from dockless.client.session import Session
from dockless.client.source_lists import Listed, listed
from dockless.client.stores import store
from dockless.credentials.credential_sources import Given
from dockless.errors import (
    AbsentError,
    DocklessError,
    LostCopyError,
    PartialError,
    PushError,
    SourceError,
    UsageError,
)
from dockless.model.lock import FILE as LOCK
from dockless.model.lock import Lock, read_lock
from dockless.model.printable import one_line
from dockless.model.renaming import full_name
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.platform import Platform
from dockless.ports import Image
from dockless.processes.regular import read_regular
from dockless.processes.terminal import say
from dockless.report.bundles import bundle_document, bundle_table
from dockless.report.json import json_text
from dockless.report.text import counted
from dockless.sources import bundle as reading
from dockless.sources.lending import CompletedImage, Lenders
from dockless.sources.oci_layout import PackedImage
from dockless.sources.spec import PARTS_ENDING, parse_source
from dockless.storage import bundle as layout
from dockless.usecases.mirror.run import Lost, SourceImage, whole_names

_PATH = click.Path(path_type=Path)
_LOOKED_AT = 64
"""Bytes that tell a lock file from an archive."""


class BundleOptions(Struct, frozen=True):
    """The arguments of `dockless bundle create`, named like the options."""

    sources: tuple[str, ...]
    out: Path
    files: tuple[Path, ...]
    named: str | None
    platform: Platform | None
    referrers: bool
    split: int | None
    since: Path | None
    keep_going: bool

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.out.name.endswith(".tar")

    def check(self) -> None:
        """Raise UsageError for contradicting options."""
        if self.split and not self.is_archive:
            raise UsageError("--split is for an archive.", "Give -o FILE.tar.")
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put into the bundle.", "Give a SOURCE, or a list with -f."
            )
        if not self.out.parent.is_dir():
            raise UsageError(f"There is no folder {self.out.parent}.", "Make it first.")

    def check_output(self, sources: tuple[Listed, ...]) -> None:
        """Raise UsageError where the bundle would replace anything but an older bundle."""
        folder = source_folder()
        older = files_of_source(str(self.since), folder) if self.since else ()
        inputs = (*files_of(sources, folder), *self.files, *older)
        check_output(self.out, inputs, archive=self.is_archive, split=self.split is not None)


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
    """Create, verify and list bundles: many images in one file or folder."""


@bundle.command(
    epilog="""\b
SOURCE is what `dockless mirror` takes, docker://REGISTRY/IMAGE included.
OUT is a folder (an OCI layout), or a file that ends in .tar.

\b
Examples:
  dockless bundle create -o disk/ docker://ghcr.io/acme/shop:v2 shop.tar
  dockless bundle create -o disk.tar -f images.txt --split 4G
  dockless bundle create -o news.tar -f images.txt --since disk/bundle.lock.json
"""
)
@click.argument("sources", nargs=-1)
@click.option(
    "-o", "--output", "out", type=_PATH, required=True, help="The folder or .tar file to write."
)
@click.option(
    "-f",
    "--file",
    "files",
    type=_PATH,
    multiple=True,
    help="A file that lists sources, one per line.",
)
@click.option(
    "--as",
    "named",
    metavar="NAME[:TAG]",
    help="Name for images without a full name: the repository, and the tag if given.",
)
@click.option(
    "--platform", type=PlatformType(), help="Take only this platform of each image index."
)
@click.option(
    "--referrers/--no-referrers",
    default=True,
    show_default=True,
    help="Include signatures, attestations and other referrers of each image.",
)
@click.option("--split", type=Size(), help="Split the .tar into parts of at most this size.")
@click.option(
    "--since",
    type=_PATH,
    metavar="BUNDLE",
    help="Leave out layers of this older bundle (the bundle, its parts list or its lock file).",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Report and leave out what cannot be found or read, and exit with 8; otherwise nothing "
    "is written.",
)
def create(**arguments: object) -> None:
    """Write images into one layout or archive, which contains every blob once."""
    ours = {name: arguments.pop(name) for name in BundleOptions.__struct_fields__}
    asked = BundleOptions(**ours)  # type: ignore[arg-type] # click made them by these names
    with _alone(asked.out):
        asked.check()
        sources = listed(asked.sources, asked.files)
        asked.check_output(sources)
        made, lost = _create(asked, sources, parsed_options(arguments, platform=asked.platform))
    for path in made:
        say(one_line(str(path)))
    for error in lost:  # also where --quiet is asked for: nobody may take it for the whole
        say(one_line(f"MISSING in {asked.out}: {error.what}"), err=True)
    if lost:
        raise PartialError(
            f"{asked.out} LACKS {counted(len(lost), 'image')} that "
            f"{'was' if len(lost) == 1 else 'were'} asked for.",
            "See above. Create the bundle again when every source can be read, or use it as it is.",
        )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Lock the bundle against other runs of this user; the lock of a killed run is free.

    Raises:
        UsageError: Another run is writing it.
    """
    name = f"bundle-{Digest.of(os.fsencode(out.absolute())).hex[:32]}"
    try:
        turn = store(os.environ).turn_if_free(name)
    except OSError:  # the error of a store that cannot be used follows
        yield
        return
    if turn is None:
        raise UsageError(
            f"Another run is writing the bundle {out}.", "Wait for it, or give another -o."
        )
    with turn:
        yield


def _create(
    asked: BundleOptions, sources: tuple[Listed, ...], options: CommandOptions
) -> tuple[tuple[Path, ...], list[DocklessError]]:
    """Write the bundle; return its files, and the error of each image that was left out.

    Raises:
        DocklessError: A source cannot be read; nothing of the bundle is left.
    """
    given = GivenName.parse(asked.named)
    out, archive = asked.out, asked.is_archive
    with (
        layout.workplace(out, archive=archive) as folder,
        _readers(options) as readers,
        _writing(out),
    ):
        written = layout.Bundle(folder, _older(readers, asked.since))
        wishes = Wishes(source_folder(), given, asked.referrers, readers.note)
        lost = _add_all(written, find(readers, sources, wishes), readers.of(), asked)
        written.finish()
        made = layout.pack(folder, out, asked.split) if archive else (out,)
        return made, lost


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn the OSError of writing the bundle into a PushError."""
    try:
        yield
    except OSError as error:
        raise PushError(
            f"The bundle {out} cannot be written: {error.strerror}.",
            "Check the free space and the permissions.",
        ) from None


def _add_all(
    written: layout.Bundle,
    found: Iterable[SourceImage | Lost],
    reader: Session,
    asked: BundleOptions,
) -> list[DocklessError]:
    """Add every image; return why some are left out.

    Raises:
        DocklessError: Of the first that is lost, unless others are to go in all the same, or if no
            other is there.
    """
    errors: list[DocklessError] = []
    count = 0
    for each in _in_turn(found, written, reader):
        if each is None:
            count += 1
        elif asked.keep_going:
            errors.append(each)
        else:
            remedy = f"{each.remedy} Or leave it out with --keep-going.".strip()
            raise type(each)(each.what, remedy)
    if not count and errors:
        raise errors[0]
    return errors


def _in_turn(
    found: Iterable[SourceImage | Lost], written: layout.Bundle, reader: Session
) -> Iterator[DocklessError | None]:
    """Add every image; yield None for each that is in, and the error of each that is not.

    One that lacks a blob comes last: a source that is named after its own may have it, as an older
    bundle has what one that was made with `--since` leaves out.
    """
    lenders = Lenders()
    waiting: list[SourceImage] = []
    for each in found:
        if isinstance(each, Lost):
            yield each.error
            continue
        if each.content:
            lenders.add(each.open())
        error = _added(written, each, reader)
        if each.content and isinstance(error, AbsentError):
            waiting.append(each)
        else:
            yield error
    for each in waiting:
        image = each.open()
        if isinstance(image, PackedImage):
            each = replace(each, open=partial(_same, CompletedImage(image, lenders)))  # noqa: PLW2901
        yield _added(written, each, reader)


def _same(image: CompletedImage) -> CompletedImage:
    return image


def _added(written: layout.Bundle, each: SourceImage, reader: Session) -> DocklessError | None:
    try:
        _add(written, each, reader)
    except DocklessError as error:
        return error
    return None


@bundle.command("list")
@click.argument("source")
@FORMAT
def list_(source: str, output: Literal["text", "json"]) -> None:
    """List the images of a bundle, or of any layout."""
    spec = bundle_spec(source)
    with _readers(CommandOptions(quiet=True)) as readers:
        images = tuple(reading.listed(readers.of().opener.bundle(spec)))
    shown = json_text(bundle_document(images)) if output == "json" else bundle_table(images)
    say(shown)


@bundle.command()
@click.argument("source")
def verify(source: str) -> None:
    """Read every byte of a bundle, and report each problem with its place."""
    spec = bundle_spec(source)
    with _readers(CommandOptions()) as readers:
        found = examined(readers.of(), spec)
    for note in found.notes:
        say(one_line(f"Note: {note}"), err=True)
    for problem in found.problems:
        say(one_line(problem), err=True)
    if found.problems:
        raise SourceError(
            f"{source} failed verification: {counted(len(found.problems), 'problem')}.",
            "Copy or create it again.",
        )
    say(f"{source}: verified, no problems found.")


for _option in (*REACH, RECHECK):
    _option(create)


@contextmanager
def _readers(options: CommandOptions) -> Iterator[Readers]:
    settings = accounts.project_settings(None)
    finder = partial(accounts.find, prompts, settings, Given("", None, ""))
    with ExitStack() as stack:
        space = stack.enter_context(command_spaces(options))
        own = stack.enter_context(space(""))
        yield Readers(stack, options, finder, own)


def _add(written: layout.Bundle, found: SourceImage, reader: Session) -> None:
    origin = f"{found.origin}: " if found.origin else ""
    try:
        names = whole_names(found)
        for name in names:
            full_name(name)
    except ValueError as error:
        raise SourceError(
            f"{origin}An image of {found.source} cannot be named: {error}.",
            "Name it with --as NAME:TAG, or leave it out.",
        ) from None
    try:
        image = found.open()
        try:
            content = _held(written, image, reader)
        except (FileNotFoundError, LostCopyError):  # what was staged of it is made again, once
            content = _held(written, image, reader)
        for name in names:
            written.add(name, found.source, content)
    except DocklessError as error:
        raise type(error)(f"{origin}{error.what}", error.remedy) from None


def _held(written: layout.Bundle, image: Image, reader: Session) -> Content:
    """Write an image's blobs into the bundle; return what it is."""
    content = image.content()
    needed = written.needs(content)
    blobs = image.paths(needed)
    try:
        written.hold(content, blobs)
    except LostCopyError:
        copies = [(each, blobs[each.digest]) for each in content.blobs if each.digest in blobs]
        reader.prove(copies, read=True)
        raise
    return content


def _older(readers: Readers, path: Path | None) -> frozenset[Digest]:
    """Return the blobs of an older bundle, from its lock file.

    Raises:
        UsageError: It is neither a lock file nor a bundle.
    """
    if path is None:
        return frozenset()
    try:
        lock = read_lock(read_regular(path)) if _is_lock(path) else _lock_in(readers, path)
    except OSError as error:
        raise UsageError(f"The older bundle {path} cannot be used: {error.strerror}.") from None
    except (ValueError, SourceError) as error:
        why = error.what if isinstance(error, SourceError) else f"{error}."
        raise UsageError(
            f"The older bundle {path} cannot be used: {why}",
            f"Give a bundle, the list of its parts, or its {LOCK}.",
        ) from None
    return frozenset(digest for each in lock.images for digest, _ in each.blobs)


def _is_lock(path: Path) -> bool:
    if path.is_dir() or path.name.endswith(PARTS_ENDING):
        return False
    if not path.is_file():  # it is missing, or nothing to wait for
        return True
    with path.open("rb") as file:
        return file.read(_LOOKED_AT).lstrip().startswith((b"{", b"[")) or not path.stat().st_size


def _lock_in(readers: Readers, path: Path) -> Lock:
    lock = reading.lock_of(readers.of().opener.bundle(parse_source(str(path), source_folder())))
    if lock is None:
        raise ValueError(f"it has no {LOCK}")
    return lock
