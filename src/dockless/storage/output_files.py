"""Files that a command writes, and that must not overwrite its inputs."""

import os
from collections.abc import Iterable
from pathlib import Path

from dockless.errors import UsageError


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
            same = os.path.abspath(path) == os.path.abspath(each)  # noqa: PTH100 - follows no link
            raise UsageError(
                f"{option} would write {path}, which is {'an' if same else 'also the'} input"
                f"{'' if same else f' {each}'}.",
                f"Give {option} another path.",
            )


def refuse_stream(path: Path, option: str) -> None:
    """See that `-` is not taken for standard output, where a file is written.

    Raises:
        UsageError: It is `-`.
    """
    if str(path) == "-":
        raise UsageError(
            f"{option} writes a file, and - is not one.",
            f"Give {option} /dev/stdout for standard output, or the name of a file.",
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


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there, or may not be looked at
        return os.path.realpath(one) == os.path.realpath(other)


def _is_folder_above(folder: Path, real: Path) -> bool:
    return os.path.isdir(folder) and any(_same(folder, each) for each in real.parents)  # noqa: PTH112 - raises nothing
