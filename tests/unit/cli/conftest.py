"""The command line in a project folder of its own, called `shop`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dockless.cli.main import dockless

Run = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(project: Path) -> Run:
    """Run a command line; an error of ours is in `exception`."""
    assert project.is_dir()
    return lambda *arguments, **how: CliRunner().invoke(dockless, list(arguments), **how)
