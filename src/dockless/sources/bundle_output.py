"""What `bundle create` may replace: an older bundle, but none of its inputs."""

import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.errors import SourceError, UsageError
from dockless.model.bundle_request import BundleRequest
from dockless.model.listed import Listed
from dockless.model.lock import FILE as LOCK
from dockless.sources.headers import members, opened, tar_errors
from dockless.sources.input_files import inputs_of
from dockless.sources.older_folder import check_folder
from dockless.sources.parts import read_parts
from dockless.sources.source_file import SourceFile
from dockless.storage.bundle import free_of
from dockless.storage.bundle_archive import PARTS
from dockless.storage.folders import is_regular
from dockless.storage.output_files import refuse_inputs, refuse_within

_MOST_UNLISTED = 1000
"""How many parts are looked for in a folder that cannot be listed."""

_REMEDY = "Give another -o, or move that file."


def check_request(request: BundleRequest, sources: Iterable[Listed], folder: Path) -> None:
    """Check that what a request asks for may be written, before anything is read.

    Args:
        request: The request.
        sources: Its sources, and those of its lists.
        folder: What relative paths start from.

    Raises:
        UsageError: It would overwrite an input, or something that is not a bundle; or an older
            bundle, which was not asked for.
    """
    if request.to_stdout:
        return
    older = (str(request.since),) if request.since else ()
    inputs = inputs_of(sources, request.files, folder, *older)
    is_archive, is_split = request.is_archive, request.split is not None
    check_output(request.out, inputs, archive=is_archive, split=is_split)
    if not request.force:
        refuse_older(request.out, archive=is_archive, split=is_split)


def check_output(out: Path, inputs: tuple[Path, ...], *, archive: bool, split: bool) -> None:
    """Check that a bundle may be written, before anything is read.

    Args:
        out: What `-o` names.
        inputs: The files and folders that are read.
        archive: Whether it is a tar, and not a folder.
        split: Whether it is written in parts.

    Raises:
        UsageError: It would overwrite an input, or something that is not a bundle.
    """
    refuse_within(out, "-o", inputs)
    try:
        if not archive:
            check_folder(out, inputs)
        elif split:
            _check_parts(out, inputs)
        else:
            _check_archive(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be used: {error.strerror}.", "Give another -o.") from None


def refuse_older(out: Path, *, archive: bool, split: bool) -> None:
    """Check that no older bundle would be replaced; the arguments are those of `check_output`.

    Raises:
        UsageError: There is one.
    """
    path = Path(f"{out}.{PARTS}") if split else out
    if _is_taken(path) if archive else not free_of(path):
        raise UsageError(
            f"{path} is a bundle already.", "Give another -o, or --force to replace it."
        )


def replaced_parts(
    request: BundleRequest, sources: Iterable[Listed], folder: Path
) -> tuple[Path, ...]:
    """Return the files of an older bundle in parts that `--force` replaces: what its list names.

    A file of another length or name is not a part of it. A bundle that is an input stays. The
    arguments are those of `check_request`.
    """
    listing = Path(f"{request.out}.{PARTS}")
    if not request.force or not request.is_archive or request.out.is_symlink():
        return ()
    older = (str(request.since),) if request.since else ()
    inputs = {each.resolve() for each in inputs_of(sources, request.files, folder, *older)}
    try:
        parts = read_parts(listing)
    except SourceError:  # there is no list, or another file
        return ()
    name = re.compile(re.escape(request.out.name) + r"\.\d{3,}")
    files = {part.path.resolve() for part in parts} | {listing.resolve()}
    if files & inputs or not all(name.fullmatch(part.path.name) for part in parts):
        return ()
    found = (part for part in parts if is_regular(part.path))
    return (*(each.path for each in found if each.path.stat().st_size == each.size), listing)


def _check_archive(out: Path) -> None:
    if _is_taken(out) and not _is_bundle(out):
        raise UsageError(f"{out} exists and is not a bundle.", _REMEDY)


def _check_parts(out: Path, inputs: tuple[Path, ...]) -> None:
    listing = Path(f"{out}.{PARTS}")
    there = [listing, *_parts_there(out)]
    for path in there:
        refuse_inputs(path, "-o", inputs)
    known: frozenset[str] = frozenset()
    if _is_taken(listing):
        try:
            known = frozenset(part.path.name for part in read_parts(listing))
        except SourceError:
            raise UsageError(
                f"{listing} exists and is not the list of a bundle's parts.", _REMEDY
            ) from None
    for path in there[1:]:
        if _is_taken(path) and path.name not in known:
            raise UsageError(f"{path} exists and is not a part of a bundle.", _REMEDY)


def _parts_there(out: Path) -> Iterator[Path]:
    part = re.compile(re.escape(out.name) + r"\.\d{3,}")
    try:
        there = tuple(out.parent.iterdir())
    except PermissionError:  # a folder that may be written, and not listed
        names = (Path(f"{out}.{number:03}") for number in range(_MOST_UNLISTED))
        there = tuple(each for each in names if each.exists())
    yield from sorted(each for each in there if part.fullmatch(each.name))


def _is_taken(path: Path) -> bool:
    """Whether there is something that is not an empty file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(found.st_mode) or found.st_size > 0


def _is_bundle(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with SourceFile(path) as file, tar_errors(str(path)), opened(file) as archive:
            return any(name == LOCK for name, _ in members(archive, str(path)))
    except SourceError:
        return False
