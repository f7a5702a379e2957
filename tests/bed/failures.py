"""How a run that failed has to look, and what it must not leave behind."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from bed.dockless import Dockless, Result
from bed.registry import Registry

_LEAD = "Error: "
PATIENCE = 120.0
"""Seconds that a test waits for what must come."""


def complaint(result: Result, code: int) -> str:
    """Check that a run failed as it should; return its error with the remedy, as stderr has them.

    It has this exit code, nothing on stdout, no traceback, and one error at the end of stderr:
    a line that says what happened, and one that says what to do next.
    """
    assert result.code == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith(_LEAD)]
    assert errors == [len(lines) - 2], result.stderr
    return "\n".join(lines[-2:]).removeprefix(_LEAD)


def leftovers(program: Dockless, store: Path | None = None) -> list[Path]:
    """Return what a run should have removed when it ended.

    That is all of its staging area, every draft in its store, and everything in the folders for
    temporary files and in the home.

    Args:
        program: What ran.
        store: The store's folder, where it is not the usual one.
    """
    store = store or store_of(program)
    runs = store.glob("runs/*")
    drafts = (path for path in store.rglob(".*") if path.is_file())
    folders = (program.folder / "tmp", program.folder / "run", program.home)
    return sorted({*runs, *drafts, *(path for folder in folders for path in folder.iterdir())})


def survivors(program: Dockless) -> list[int]:
    """Return the ids of the processes that a program started, itself included, and that still run.

    They are known by the program's folders, which stand in their environment.
    """
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of(path, program)]


def _is_of(process: Path, program: Dockless) -> bool:
    with contextlib.suppress(OSError):
        # a zombie has no environment any more
        return os.fsencode(program.folder) + b"/" in (process / "environ").read_bytes()
    return False


def store_of(program: Dockless) -> Path:
    """Return the folder of the store that a program uses."""
    return program.folder / "cache" / "dockless" / str(os.geteuid())


def holdings(registry: Registry, repository: str) -> dict[str, bytes]:
    """Return all that docker-registry has of a repository: tags, manifests, blobs and uploads.

    Each is the name of a file in the registry's storage, and what it leads to. Of an upload that
    was cancelled docker-registry itself leaves a hash state, or, where it was still being written
    to, an empty file, which is nobody's fault.
    """
    folder = _folder(registry, repository)
    files = (
        path for path in folder.rglob("*") if path.is_file() and "hashstates" not in path.parts
    )
    held = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    return {name: data for name, data in held.items() if data or not name.startswith("_uploads/")}


def published(registry: Registry, repository: str) -> set[str]:
    """Return the manifests and tags of a repository, as files in the registry's storage."""
    folder = _folder(registry, repository) / "_manifests"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def tags(registry: Registry, repository: str) -> set[str]:
    """Return the tags of a repository."""
    return {path.parts[1] for path in map(Path, published(registry, repository)) if _is_tag(path)}


def _is_tag(path: Path) -> bool:
    return path.parts[0] == "tags" and path.parts[2:] == ("current", "link")


def _folder(registry: Registry, repository: str) -> Path:
    return registry.storage / "docker" / "registry" / "v2" / "repositories" / repository


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)
