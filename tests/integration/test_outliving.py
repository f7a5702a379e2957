"""No program that dockless started outlives it, however it ends."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.failures import until
from bed.registry import Registry

SLEEPERS = {
    "itself": "exec sleep 600",
    "its child": "sleep 600; true",
    "its children": "sleep 600 & sleep 600 & wait",
    "deaf to SIGTERM": "trap '' TERM; sleep 600; true",
}


def ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def alive(mark: str) -> list[int]:
    """Return the processes that have this in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - names are wanted
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in environment and not ended(int(pid)):
            found.append(int(pid))
    return found


@pytest.mark.sampled(11)
@pytest.mark.parametrize("ending", ["--timeout", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("sleeper", SLEEPERS)
def test_an_engine_that_is_looked_at_does_not_outlive_the_push(
    program: Dockless,
    own_registry: Registry,
    packed: Path,
    tmp_path: Path,
    sleeper: str,
    ending: str,
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "crane").write_text(f"#!/bin/sh\n: >{tmp_path}/started\n{SLEEPERS[sleeper]}\n")
    (programs / "crane").chmod(0o755)
    # of what a program sees when it is asked for its help, this is ours
    mark = f"PATH={programs}:/usr/bin:/bin"
    extra = {"PATH": mark.removeprefix("PATH="), "DOCKLESS_TOOLS_DIR": str(tmp_path / "none")}
    program = replace(program, extra={**program.extra, **extra})
    argv = ("push", packed, "--image", f"{own_registry.host}/acme/shop:1")
    limit = ("--timeout", "5s") if ending == "--timeout" else ()
    with program.start(*argv, *limit) as child:
        until((tmp_path / "started").exists)
        if ending != "--timeout":
            child.send_signal(getattr(signal, ending))
        child.communicate(timeout=120)
    try:
        until(lambda: not alive(mark))
    finally:
        for pid in alive(mark):
            os.kill(pid, signal.SIGKILL)
