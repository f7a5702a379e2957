"""Errors as JSON where a command line asks for it, also where it cannot be understood."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, takewhile

from dockless.errors import DocklessError
from dockless.processes.terminal import HAS_RESULT, say


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether a command line, which may be wrong, has `--format json`, the last one of several."""
    options = list(takewhile(lambda each: each != "--", arguments))
    given = [
        word if option == "--format" else word.removeprefix("--format=")
        for option, word in pairwise(["", *options])
        if option == "--format" or word.startswith("--format=")
    ]
    return given[-1:] == ["json"]


@contextlib.contextmanager
def errors_in_json(
    kinds: tuple[type[BaseException], ...],
    known: Callable[[BaseException], DocklessError],
    *,
    wanted: bool,
) -> Iterator[None]:
    """Print the document of an error that ends the block, unless a result was printed.

    Args:
        kinds: What ends a command: errors of ours, and of the library that reads command lines.
        known: Returns one of the others as ours.
        wanted: Whether JSON is asked for.
    """
    try:
        yield
    except kinds as error:
        if wanted and not HAS_RESULT.is_set():
            from dockless.model.printable import json_text  # noqa: PLC0415 - rare
            from dockless.report.json import error_document  # noqa: PLC0415 - the same

            ours = error if isinstance(error, DocklessError) else known(error)
            with contextlib.suppress(DocklessError, BrokenPipeError):  # the exit code says it
                say(json_text(error_document(ours)))
        raise
