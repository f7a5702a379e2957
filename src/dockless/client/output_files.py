"""Files that a command writes, and that must not overwrite its inputs."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.client.source_lists import Listed
from dockless.errors import SourceError, UsageError
from dockless.sources.parts import read_parts
from dockless.sources.spec import PARTS_ENDING, parse_source


def refuse_inputs(path: Path, option: str, inputs: Iterable[Path]) -> None:
    """See that a file that is to be written is none of those that are read.

    The same file may have several paths: links, hard links, and other ways to one folder.

    Args:
        path: What is to be written.
        option: The option that names it.
        inputs: What is read.

    Raises:
        UsageError: It is one of them.
    """
    for each in inputs:
        if _same(path, each):
            raise UsageError(
                f"{option} would write {path}, which is also the input {each}.",
                f"Give {option} another path.",
            )


def refuse_within(path: Path, option: str, inputs: Iterable[Path]) -> None:
    """See that a file that is to be written is none of those that are read, nor in their folders.

    Raises:
        UsageError: It is one of them, or in one of them.
    """
    inputs = tuple(inputs)
    refuse_inputs(path, option, inputs)
    real = Path(os.path.realpath(path))
    for each in inputs:
        if _is_folder_above(each, real):
            raise UsageError(
                f"{option} would write {path}, which lies inside the source {each}.",
                f"Give {option} a path outside of it.",
            )


def files_of(sources: Iterable[Listed], folder: Path) -> Iterator[Path]:
    """Yield the files and folders that sources name, and the parts that lists of parts name.

    Args:
        sources: What is asked for.
        folder: What relative paths start from.
    """
    for each in sources:
        if each.wanted is None:
            yield from files_of_source(each.text, folder)


def files_of_source(text: str, folder: Path) -> Iterator[Path]:
    """Yield what one source names; nothing for one that is not a file, or is invalid."""
    if text and os.path.isdir(folder / text):  # noqa: PTH112 - raises nothing
        yield folder / text
        return
    try:
        spec = parse_source(text, folder)
        if spec.kind not in ("archive", "layout"):
            return
        yield spec.path
        if spec.path.name.endswith(PARTS_ENDING):
            yield from (part.path for part in read_parts(spec.path))
    except (SourceError, UsageError):  # which is said where it is read
        return


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there, or may not be looked at
        return os.path.realpath(one) == os.path.realpath(other)


def _is_folder_above(folder: Path, real: Path) -> bool:
    return os.path.isdir(folder) and any(_same(folder, each) for each in real.parents)  # noqa: PTH112 - raises nothing
