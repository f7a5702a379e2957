import os
import subprocess
from pathlib import Path

import pytest

from dockless.config import image_version
from dockless.config.setting import Setting
from dockless.errors import EngineError, UsageError

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ("git", *arguments), cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_variable_comes_first_and_needs_no_git(tmp_path: Path) -> None:
    environment = {"VERSION": "v7", "PATH": ""}
    assert image_version.read(tmp_path, environment) == Setting("v7", "VERSION")


def test_clean_tree_is_its_commit(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert image_version.read(repository, ENVIRONMENT) == Setting(commit, "git commit")


def test_dirty_tree_is_marked(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "new").touch()
    found = image_version.read(repository, ENVIRONMENT, lambda count: "ab" * count)
    assert found.value == f"{commit}_uncommitted_abababababababab"


def test_where_a_clone_is_built_the_tree_does_not_matter(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "new").touch()
    found = image_version.read(repository, ENVIRONMENT, clones=True)
    assert found == Setting(commit, "git commit")


def test_folder_without_a_commit_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="has no git commit") as caught:
        image_version.read(tmp_path, ENVIRONMENT)
    assert caught.value.remedy == "Give a --tag, or set VERSION."


def test_missing_git_is_said_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"git cannot be started.*VERSION"):
        image_version.read(tmp_path, {"PATH": str(tmp_path)})


@pytest.mark.parametrize("value", ["./evil", "sh -c 'touch ran' x", "touch ran; true"])
def test_the_repositorys_own_configuration_runs_nothing(tmp_path: Path, value: str) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path, "config", "core.fsmonitor", value)
    evil = tmp_path / "evil"
    evil.write_text("#!/bin/sh\ntouch ran\n")
    evil.chmod(0o755)
    assert "git commit" in image_version.read(tmp_path, ENVIRONMENT).origin
    assert not (tmp_path / "ran").exists()


def with_a_filter(folder: Path, name: str = "evil") -> Path:
    """Make a commit with a file that git compares by a filter; return what shows that it ran."""
    git(folder, "init", "-q")
    (folder / "file").write_text("text\n")
    (folder / ".gitattributes").write_text(f"file filter={name}\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    os.utime(folder / "file", (1, 1))  # what is older or newer than git knows is read once more
    return folder.parent / f"{folder.name}-ran"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("key", ["clean", "process"])
@pytest.mark.parametrize("name", ["evil", "e.v.il", "Ev-il"])
@pytest.mark.parametrize("required", [True, False])
def test_no_filter_of_the_repository_runs(
    project: Path, key: str, name: str, *, required: bool
) -> None:
    ran = with_a_filter(project, name)
    git(project, "config", f"filter.{name}.{key}", f"touch {ran}; cat")
    if required:
        git(project, "config", f"filter.{name}.required", "true")
    assert image_version.read(project, ENVIRONMENT).value
    assert not ran.exists()


@pytest.mark.parametrize("place", ["included", "worktree", "hidden"])
def test_no_filter_of_a_file_that_the_repository_includes_runs(project: Path, place: str) -> None:
    ran = with_a_filter(project)
    config = project / ".git" / "other"
    if place == "worktree":
        git(project, "config", "extensions.worktreeConfig", "true")
        config = project / ".git" / "config.worktree"
    elif place == "hidden":
        config = project / ".git" / "third"
        (project / ".git" / "other").write_text(f"[include]\n\tpath = {config}\n")
        git(project, "config", "includeIf.gitdir:/**.path", str(project / ".git" / "other"))
    else:
        git(project, "config", "include.path", str(config))
    config.write_text(f'[filter "evil"]\n\tclean = "touch {ran}; cat"\n')
    assert image_version.read(project, ENVIRONMENT).origin == "git commit"
    assert not ran.exists()


def test_a_filter_that_cannot_be_turned_off_is_refused(project: Path) -> None:
    ran = with_a_filter(project, "a=b")
    config = project / ".git" / "config"
    config.write_text(f'{config.read_text()}[filter "a=b"]\n\tclean = "touch {ran}; cat"\n')
    with pytest.raises(UsageError, match="cannot be turned off") as caught:
        image_version.read(project, ENVIRONMENT)
    assert "VERSION" in caught.value.remedy
    assert not ran.exists()


def test_a_filter_of_the_users_own_runs(project: Path, tmp_path: Path) -> None:
    ran = with_a_filter(project)
    own = tmp_path / "gitconfig"
    own.write_text(f'[filter "evil"]\n\tclean = "touch {ran}; cat"\n')
    found = image_version.read(project, {**ENVIRONMENT, "GIT_CONFIG_GLOBAL": str(own)})
    assert found.origin == "git commit"
    assert ran.exists()


@pytest.mark.parametrize("place", ["hooks", "hooksPath"])
def test_no_hook_of_the_repository_runs(project: Path, place: str) -> None:
    ran = with_a_filter(project)
    folder = project / ".git" / "hooks"
    if place == "hooksPath":
        folder = project.parent / "elsewhere"
        git(project, "config", "core.hooksPath", str(folder))
    folder.mkdir(exist_ok=True)
    hook = folder / "post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    assert image_version.read(project, ENVIRONMENT).origin == "git commit"
    assert not ran.exists()


@pytest.mark.parametrize("changed", [True, False])
def test_no_filter_of_a_submodule_runs_and_its_changes_count(
    project: Path, *, changed: bool
) -> None:
    below = project / "vendor" / "lib"
    below.mkdir(parents=True)
    ran = with_a_filter(below)
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "first")
    git(below, "config", "filter.evil.clean", f"touch {ran}; cat")
    if changed:
        (below / "new").touch()
    origin = image_version.read(project, ENVIRONMENT).origin
    assert origin == ("git commit, with uncommitted changes" if changed else "git commit")
    assert not ran.exists()


def test_nothing_is_fetched_for_a_repository_that_lacks_objects(project: Path) -> None:
    ran = with_a_filter(project)
    git(project, "config", "remote.origin.url", f"ext::sh -c touch% {ran}")
    git(project, "config", "remote.origin.promisor", "true")
    git(project, "config", "protocol.ext.allow", "always")
    tree = git(project, "rev-parse", "HEAD^{tree}")
    (project / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(UsageError):
        image_version.read(project, ENVIRONMENT)
    assert not ran.exists()
