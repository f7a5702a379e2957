"""What sources name: files, which nothing may overwrite while they are read, and registries."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.errors import DocklessError, SourceError, UsageError
from dockless.model.listed import Listed
from dockless.oci.reference import Reference
from dockless.sources.parts import read_parts
from dockless.sources.source_paths import PARTS_ENDING
from dockless.sources.spec import parse_source


def inputs_of(
    sources: Iterable[Listed], lists: Iterable[Path], folder: Path, *others: str
) -> tuple[Path, ...]:
    """Return the files and folders that a run reads, and that it may not write.

    Nothing for a source that is not a file, or is invalid; for a list of parts, these, too.

    Args:
        sources: The sources.
        lists: The files that list them.
        folder: What relative paths start from.
        others: What is read in addition, written as sources are; an empty one names nothing.
    """
    texts = (*(each.text for each in sources), *others)
    return (*(path for text in texts for path in _files_of(text, folder)), *lists)


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
