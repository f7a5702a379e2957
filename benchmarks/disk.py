"""The disk that a program needs beyond what it keeps, on a filesystem of its own."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bed.dockless import Dockless

_LOOK_SECONDS = 0.002


def beyond_store(program: Dockless, *arguments: str | Path) -> int:
    """Return the most bytes that a push holds on disk at any time, without those it keeps.

    Unnamed files count, since the filesystem is asked and not its folders. Needs root.

    Args:
        program: Finds all of its folders, that of temporary files too, on this filesystem.
        arguments: What it is to do.

    Raises:
        RuntimeError: It failed.
    """
    most = 0
    with subprocess.Popen(
        (program.path, *arguments),
        env=program.environment(),
        cwd=program.project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as child:
        while child.poll() is None:
            most = max(most, _used(program.folder))
            time.sleep(_LOOK_SECONDS)
        said = child.stderr.read() if child.stderr else b""
    if child.returncode:
        raise RuntimeError(said.decode())
    return most - _used(program.folder)


@contextmanager
def filesystem(folder: Path) -> Iterator[Path]:
    """Yield the folder as a filesystem in memory, which goes with the block."""
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=4g", "dockless-disk", folder), check=True)
    try:
        yield folder
    finally:
        subprocess.run(("umount", folder), check=True)


def _used(folder: Path) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize
