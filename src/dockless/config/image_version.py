"""The version that Kamal tags images with: `$VERSION`, else the git commit."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from dockless.config.setting import Setting
from dockless.errors import EngineError, UsageError
from dockless.processes.run import Finished, run

_REMEDY = "Give a --tag, or set VERSION."
_SUBMODULE = "160000 "
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"

# a repository's own configuration names programs that git runs: hooks and the like from here on
_HARMLESS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
# a repository that lacks objects fetches them, with what its configuration names
_ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}


def _random(count: int) -> str:
    return os.urandom(count).hex()


def read(
    folder: Path,
    environment: Mapping[str, str],
    token: Callable[[int], str] = _random,
    *,
    clones: bool = False,
) -> Setting[str]:
    """Return the version of the project as it is now.

    Args:
        folder: The project's folder.
        environment: Where `VERSION` is looked up, and what git runs in.
        token: Gives this number of random bytes in hexadecimal, which mark an uncommitted tree.
        clones: Whether the commit is what is built, and not the tree: Kamal clones the repository
            where its deploy.yml has no `builder.context`.

    Raises:
        UsageError: There is no `VERSION`, and the folder is not in a repository with a commit.
        EngineError: git is missing.
    """
    version = environment.get("VERSION", "")
    if version:
        return Setting(version, "VERSION")
    commit = _git(folder, environment, "rev-parse", "HEAD").strip()
    if clones or not _is_changed(folder, environment):
        return Setting(commit, "git commit")
    return Setting(f"{commit}_uncommitted_{token(8)}", "git commit, with uncommitted changes")


def _is_changed(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether a work tree, or that of a submodule in it, is not as its commit has it.

    `git status` itself would look into the submodules with programs that their configuration names.
    """
    if _git(folder, environment, "status", "--porcelain", "--ignore-submodules=dirty"):
        return True
    top = Path(_git(folder, environment, "rev-parse", "--show-toplevel").removesuffix("\n"))
    listed = _git(top, environment, "ls-files", "--stage", "-z")
    entries = (entry.partition("\t") for entry in listed.split("\0"))
    below = [top / path for mode, _, path in entries if mode.startswith(_SUBMODULE)]
    return any(_is_changed(each, environment) for each in below if (each / ".git").exists())


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """Return git's output, without running programs that the repository configures.

    Raises:
        UsageError: git fails, or the repository names such a program so that it cannot be kept
            from running.
        EngineError: git is missing.
    """
    settings = [
        each
        for name in _filters(folder, environment)
        for setting in ("clean=", "smudge=", "process=", "required=false")
        for each in ("-c", f"{name}.{setting}")
    ]
    done = _run(folder, environment, *settings, *arguments)
    if done.code:
        problem = f"{folder} has no git commit, from which the tag of Kamal's deploy.yml is taken."
        raise UsageError(problem, _REMEDY)
    return os.fsdecode(done.stdout)


def _filters(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the sections of the filters that a repository itself has, in whatever file of its own.

    Those of the user's own configuration, such as Git LFS, are trusted.
    """
    names: dict[str, None] = {}
    for scope in ("--local", "--worktree"):
        asked = ("config", scope, "--includes", "--null", "--name-only", "--get-regexp", _FILTERS)
        done = _run(folder, environment, *asked)
        # it fails where it finds none, or has no configuration of that kind
        found = os.fsdecode(done.stdout).split("\0") if not done.code else []
        names |= dict.fromkeys(key.rpartition(".")[0] for key in found if key)
    for name in names:
        if "=" in name or not name.isprintable():
            raise UsageError(
                f"The repository of {folder} has the filter {name!r}, which cannot be turned off.",
                _REMEDY,
            )
    return list(names)


def _run(folder: Path, environment: Mapping[str, str], *arguments: str) -> Finished:
    try:
        return run(
            ("git", *_HARMLESS, *arguments), {**environment, **_ALONE}, cwd=folder, alone=True
        )
    except EngineError as error:
        raise EngineError(error.what, _REMEDY) from None
