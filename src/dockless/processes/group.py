"""Run a program that starts others, none of which outlives the call."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dockless.processes.program_log import log_end
from dockless.processes.run import Finished, late, started_program, within_time

_END_SECONDS = 2.0
_LOOK_SECONDS = 0.02


def run_in_group(
    argv: Sequence[str], environment: Mapping[str, str], *, timeout: float, cwd: Path
) -> Finished:
    """Run a program in a session of its own, and end whatever is left of that when it is done.

    A Ctrl-C at the terminal therefore reaches us alone, and ends all of them here.

    Args:
        argv: The program and its arguments; never a shell.
        environment: The child's environment, but for `DOCKLESS_*`.
        timeout: Seconds after which they are killed.
        cwd: The folder it runs in.

    Returns:
        What it said, whatever its exit status.

    Raises:
        EngineError: It cannot be started, or did not end in time.
        NetworkError: The command's time was over before.
    """
    with started_program(
        argv, environment, stderr=subprocess.PIPE, cwd=cwd, start_new_session=True
    ) as started:
        try:
            stdout, stderr = started.communicate(timeout=within_time(timeout))
        except subprocess.TimeoutExpired:
            raise late(argv, f"{argv[0]} did not end within {timeout:.0f} seconds.") from None
        finally:
            _end(started)
    log_end(argv, started.returncode)
    return Finished(started.returncode, stdout, stderr.decode(errors="replace").rstrip())


def _end(started: subprocess.Popen[bytes]) -> None:
    """Kill a child and its group, and see that they are gone."""
    end = time.monotonic() + _END_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of what has ended
            break
        started.poll()
        time.sleep(_LOOK_SECONDS)
