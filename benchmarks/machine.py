"""Where a measurement was made, and with which versions."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_DOCKLESS = Path(sys.executable).parent / "dockless"
_BYTES_PER_GB = 1 << 30


def machine() -> dict[str, object]:
    """Return what the machine is, and how busy it is."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model[1].strip() if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memoryGB": round(memory / _BYTES_PER_GB),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 1),
    }


def versions(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the version of every program that is measured."""
    listed = json.loads(_said(environment, _DOCKLESS, "tools", "list", "--format", "json"))
    # Debian's crane does not know its version.
    engines = {each["engine"]: each["version"] or "unknown" for each in reversed(listed["engines"])}
    return {
        "dockless": _said(environment, _DOCKLESS, "--version").split()[-1],
        "python": platform.python_version(),
        **engines,
        "docker-registry": _said(environment, "docker-registry", "--version").split()[-1],
        "dockerd": _said(environment, "dockerd", "--version").split()[2].rstrip(","),
    }


def heading(machine: Mapping[str, object], versions: Mapping[str, str]) -> str:
    """Return both as the sentence above the table."""
    programs = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memoryGB']} GB of memory, "
        f"Linux {machine['kernel']}, load {machine['load']} before; {programs}."
    )


def _said(environment: Mapping[str, str], *argv: str | Path) -> str:
    done = subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()
