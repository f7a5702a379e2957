"""The command line in a project folder of its own, called `shop`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dockless.cli.main import dockless
from dockless.processes import stops

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    """Forget the `--timeout` of a command, which would end those of the tests after it."""
    yield
    stops.end_by(None)


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
