"""The log of programs that are started, for `--debug`: the logger `dockless.programs`, at DEBUG.

Arguments are logged for engines alone: dockless composes them, and puts no secret among them. What
a project's file wants to have run may have one.
"""

import logging
import shlex
from collections.abc import Sequence

_log = logging.getLogger("dockless.programs")


def log_start(argv: Sequence[str], *, with_arguments: bool = False) -> None:
    """Log that a program is started."""
    _log.debug("starts %s", shlex.join(argv) if with_arguments else argv[0])


def log_end(argv: Sequence[str], status: int) -> None:
    """Log the exit status of a program; negative for the signal that ended it."""
    _log.debug("%s ended with %d", argv[0], status)
