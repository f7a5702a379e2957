"""The programs of this machine for checks: none of them runs longer than a check may take."""

import time
from collections.abc import Mapping, Sequence

from dockless.processes.programs import ProgramsHere
from dockless.processes.run import Finished


class BriefPrograms(ProgramsHere):
    """This machine's programs, which together end within this number of seconds.

    An abandoned check must leave no child process.

    Args:
        environment: The caller's.
        seconds: The time for all programs that are run with it.
    """

    def __init__(self, environment: Mapping[str, str], seconds: float) -> None:
        super().__init__(environment)
        self._until = time.monotonic() + seconds

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, within what is left of the time."""
        left = max(0.1, self._until - time.monotonic())
        return super().run(argv, timeout=min(timeout, left))
