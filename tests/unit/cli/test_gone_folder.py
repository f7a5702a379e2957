"""A current folder that was removed: absolute paths work, relative ones are a usage error."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.cli import main
from dockless.cli.main import dockless
from dockless.config import project
from dockless.config.project import project_here
from dockless.errors import DocklessError, SourceError
from dockless.sources.spec import parse_source
from dockless.storage.user_folders import source_folder

_HERE = Path.cwd()


@pytest.fixture
def gone(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    yield folder
    os.chdir(_HERE)


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize("text", ["x.tar", "./x", "docker-archive:x"])
def test_a_relative_source_leads_nowhere(text: str) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        parse_source(text, source_folder())


@pytest.mark.usefixtures("gone")
def test_an_absolute_source_is_found_and_there_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"")
    assert parse_source(str(tmp_path / "x.tar"), source_folder()).path == tmp_path / "x.tar"
    assert project_here({}, None) == project.nowhere(Path("/"), {})


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "/nowhere.tar", "--image", "localhost:1/a/b:1"),
        ("mirror", "/nowhere.tar", "--to", "localhost:1"),
        ("bundle", "create", "-o", "{}/out", "/nowhere.tar"),
        ("bundle", "create", "-o", "out", "/nowhere.tar"),
        ("bundle", "verify", "/nowhere.tar"),
        ("bundle", "list", "/nowhere.tar"),
        ("hosts",),
    ],
)
def test_every_command_ends_with_an_error_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    argv = [each.format(tmp_path) for each in arguments]
    with pytest.raises((DocklessError, FileNotFoundError)) as caught:
        dockless.main(argv, standalone_mode=False)
    assert main._ending(caught.value) in (2, 3)
    assert "bug" not in capsys.readouterr().err
