"""What a path on this machine is: an archive, a layout, or nothing that has an image."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockless.errors import SourceError

STANDARD_INPUT = "standard input"
"""How standard input is called in messages."""

PARTS_ENDING = ".parts.json"
"""The end of the name of a list of parts, see `sources.parts`."""

PART = re.compile(r"(?P<whole>.+)\.\d{3,}")
"""The name of a part of a bundle."""

ARCHIVE_ENDINGS = (".tar", ".tgz", ".tbz", ".txz", ".tzst")
"""Of archives, packed ones too: what follows, as in `.tar.gz` and `.tbz2`, does not matter."""
_LONGEST_INDENT = 100


def looks_like_path(text: str) -> bool:
    """Whether a SOURCE can be a path only; one that is a name too may be either."""
    return (
        text in (".", "..")
        or text.startswith(("/", "./", "../", "~"))
        or text.endswith(("/", "/.", "/.."))
        or any(ending in text for ending in ARCHIVE_ENDINGS)
    )


def existing(text: str, folder: Path) -> tuple[Path, str] | None:
    """Split `path[:selector]` at the first colon before which something exists."""
    whole = folder / text
    if text and _exists(whole):
        return whole, ""
    for position, character in enumerate(text):
        if character == ":" and position and _exists(path := folder / text[:position]):
            return path, text[position + 1 :]
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        raise SourceError(
            f"This user has no permission to access {path}.",
            "Check the permissions of the folders above.",
        ) from None
    except OSError:  # too long to be the name of a file
        return False


def is_layout(folder: Path) -> bool:
    """Whether a folder is an OCI layout; an index.json alone may be anything's."""
    # the os module's functions take what may not be looked at for absent, and pathlib's raise
    if os.path.isfile(folder / "oci-layout"):  # noqa: PTH113
        return True
    return os.path.isfile(folder / "index.json") and os.path.isdir(folder / "blobs")  # noqa: PTH112, PTH113


def is_archive(path: Path) -> bool:
    """Whether a file is an archive of images, or a damaged one, or a list of a bundle's parts."""
    from dockless.sources.judging import why_no_image  # noqa: PLC0415 - most names have no file

    if path.name.endswith(PARTS_ENDING):
        return True
    if not os.access(path, os.R_OK):
        return False
    try:
        return not why_no_image(path)
    except SourceError:
        return True


def has_image(folder: Path) -> bool:
    """Whether a folder is an image, or an unpacked archive of one, about which an error tells."""
    if is_layout(folder):
        return True
    if not os.path.isfile(folder / "manifest.json"):  # noqa: PTH113 - raises nothing
        return False
    from dockless.sources.dir_transport import is_dir_transport  # noqa: PLC0415 - rare

    return is_dir_transport(folder) or _begins_list(folder / "manifest.json")


def _begins_list(path: Path) -> bool:
    """Whether a manifest.json is a list, as in archives of `docker save`; a web app's is none."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_INDENT).lstrip().startswith(b"[")
    except OSError:
        return False


@contextmanager
def whole_archive(path: Path) -> Iterator[None]:
    """Refuse an archive that is one part of a bundle; say of one that is damaged that it may be.

    Raises:
        SourceError: The list of parts next to it has it, and others.
    """
    named = PART.fullmatch(path.name)
    if named is None or path.is_dir():
        yield
        return
    listing = path.with_name(named["whole"] + PARTS_ENDING)
    _refuse_part(path, listing)
    try:
        yield
    except SourceError as error:
        remedy = f"Or, if it is a part of a bundle, give {listing} and keep all parts next to it."
        raise error.with_context(remedy=f"{error.remedy} {remedy}".strip()) from None


def _refuse_part(path: Path, listing: Path) -> None:
    from dockless.sources.parts import read_parts  # noqa: PLC0415 - parts only

    try:
        parts = [part.path for part in read_parts(listing)]
    except SourceError:  # there is none, or it is of no use
        return
    if path in parts and len(parts) > 1:
        raise SourceError(
            f"{path} is only part {parts.index(path) + 1} of {len(parts)} of a bundle: "
            f"{listing.name} lists them.",
            f"Give that list instead: {listing}.",
        )
