"""The version that Kamal tags images with: `$VERSION`, else the git commit."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from dockless.model.errors import EngineError, UsageError
from dockless.processes.run import run
from dockless.settings.setting import Setting

_REMEDY = "Give a --tag, or set VERSION."


def _random(count: int) -> str:
    return os.urandom(count).hex()


def read(
    folder: Path, environment: Mapping[str, str], token: Callable[[int], str] = _random
) -> Setting[str]:
    """Return the version of the project as it is now.

    Args:
        folder: The project's folder.
        environment: Where `VERSION` is looked up, and what git runs in.
        token: Gives so many random bytes in hexadecimal, which mark an uncommitted tree.

    Raises:
        UsageError: There is no `VERSION`, and the folder is not in a repository with a commit.
        EngineError: git is missing.
    """
    version = environment.get("VERSION", "")
    if version:
        return Setting(version, "VERSION")
    commit = _git(folder, environment, "rev-parse", "HEAD")
    if not _git(folder, environment, "status", "--porcelain"):
        return Setting(commit, "git commit")
    return Setting(f"{commit}_uncommitted_{token(8)}", "git commit, with uncommitted changes")


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    try:
        # a repository's own configuration may name a program that `git status` runs
        done = run(("git", "-c", "core.fsmonitor=false", *arguments), environment, cwd=folder)
    except EngineError as error:
        raise EngineError(error.what, _REMEDY) from None
    if done.code:
        problem = f"{folder} has no git commit, which Kamal's deploy.yml takes the tag from."
        raise UsageError(problem, _REMEDY)
    return done.stdout.decode(errors="replace").strip()
