"""What sources name: files, which nothing may overwrite while they are read, and registries."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.errors import DocklessError, SourceError, UsageError
from dockless.model.listed import Listed
from dockless.oci.reference import Reference
from dockless.sources.parts import read_parts
from dockless.sources.spec import PARTS_ENDING, parse_source


def files_of(sources: Iterable[str], folder: Path) -> Iterator[Path]:
    """Yield the files and folders that sources name, and the parts that lists of parts name.

    Nothing for a source that is not a file, or is invalid.

    Args:
        sources: What is asked for; an empty one names nothing.
        folder: What relative paths start from.
    """
    for text in sources:
        yield from _files_of(text, folder)


def registries_of(sources: Iterable[Listed], folder: Path) -> Iterator[str]:
    """Yield the registries that sources name without a login of their own.

    Args:
        sources: The sources.
        folder: What relative paths start from.
    """
    for each in sources:
        if each.error:
            continue
        if each.wanted:
            if not each.wanted.registry.credential:
                yield Reference.parse(each.wanted.repository).repository.host
            continue
        with contextlib.suppress(DocklessError):  # which is reported where it is read
            if host := parse_source(each.text, folder).registry:
                yield host


def _files_of(text: str, folder: Path) -> Iterator[Path]:
    if text and os.path.isdir(folder / text):  # noqa: PTH112 - raises nothing
        yield folder / text
        return
    try:
        spec = parse_source(text, folder)
        if spec.kind not in ("archive", "layout"):
            if spec.here:  # a file that may be meant
                yield spec.path
            return
        yield spec.path
        if spec.path.name.endswith(PARTS_ENDING):
            yield from (part.path for part in read_parts(spec.path))
    except (SourceError, UsageError):  # which is reported where it is read
        return
