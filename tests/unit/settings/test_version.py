import subprocess
from pathlib import Path

import pytest

from dockless.model.errors import EngineError, UsageError
from dockless.settings import version
from dockless.settings.setting import Setting

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
    assert version.read(tmp_path, environment) == Setting("v7", "VERSION")


def test_clean_tree_is_its_commit(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert version.read(repository, ENVIRONMENT) == Setting(commit, "git commit")


def test_dirty_tree_is_marked(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "new").touch()
    found = version.read(repository, ENVIRONMENT, lambda count: "ab" * count)
    assert found.value == f"{commit}_uncommitted_abababababababab"


def test_folder_without_a_commit_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="has no git commit") as caught:
        version.read(tmp_path, ENVIRONMENT)
    assert caught.value.remedy == "Give a --tag, or set VERSION."


def test_missing_git_is_said_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"git cannot be started.*VERSION"):
        version.read(tmp_path, {"PATH": str(tmp_path)})


@pytest.mark.parametrize("value", ["./evil", "sh -c 'touch ran' x", "touch ran; true"])
def test_the_repositorys_own_configuration_runs_nothing(tmp_path: Path, value: str) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path, "config", "core.fsmonitor", value)
    evil = tmp_path / "evil"
    evil.write_text("#!/bin/sh\ntouch ran\n")
    evil.chmod(0o755)
    assert "git commit" in version.read(tmp_path, ENVIRONMENT).origin
    assert not (tmp_path / "ran").exists()
