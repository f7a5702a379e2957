import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.errors import EngineError
from dockless.processes.group import run_in_group
from dockless.processes.programs import ProgramsHere
from dockless.processes.run import run, run_visibly, stream
from dockless.processes.search import find_program

Start = Callable[[tuple[str, ...], dict[str, str]], object]


def streamed(argv: tuple[str, ...], environment: dict[str, str]) -> None:
    with stream(argv, environment) as running:
        running.stdout.read()


STARTS: tuple[Start, ...] = (
    run,
    streamed,
    lambda argv, environment: run_visibly(argv, environment, Path.cwd()),
    lambda argv, environment: run_in_group(argv, environment, timeout=60, cwd=Path.cwd()),
)


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that programs of the current folder write to, and the folder with such programs."""
    for name in ("tool", "inner/tool"):
        program = tmp_path / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho ran >>{tmp_path}/ran\n")
        program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ran"


@pytest.mark.parametrize(
    "path", ["", ":/usr/bin", "/usr/bin:", "/usr/bin::/bin", ".", "inner", "./inner", "../x"]
)
@pytest.mark.parametrize("start", STARTS)
def test_no_program_of_the_current_folder_is_run(mark: Path, path: str, start: Start) -> None:
    assert find_program("tool", path) is None
    assert not ProgramsHere({"PATH": path}).has("tool")
    with pytest.raises(EngineError, match="tool cannot be started: No such file"):
        start(("tool",), {"PATH": path})
    assert not mark.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "inner/tool", "./tool", "../tool", "tool\0"])
def test_a_path_is_no_name(mark: Path, name: str) -> None:
    assert find_program(name, str(mark.parent)) is None


def test_a_relative_path_is_not_run(mark: Path) -> None:
    with pytest.raises(EngineError, match="cannot be started"):
        run(("./tool",), {"PATH": "/usr/bin:/bin"})
    assert not mark.exists()


def test_a_program_on_path_is_found_with_its_whole_path(mark: Path) -> None:
    assert find_program("tool", f":inner:{mark.parent}") == str(mark.parent / "tool")
    run(("tool",), {"PATH": f":/usr/bin:{mark.parent}"})
    assert mark.read_text() == "ran\n"


def test_without_a_path_the_system_is_looked_through(mark: Path) -> None:
    assert find_program("sh", None) in [f"{folder}/sh" for folder in os.defpath.split(":")]
    assert find_program("tool", None) is None
    assert not mark.exists()


def test_what_cannot_be_run_is_skipped(mark: Path) -> None:
    (mark.parent / "tool").chmod(0o644)
    assert (
        find_program("tool", f"{mark.parent}:{mark.parent}/inner").__str__().endswith("inner/tool")
    )
    assert find_program("inner", str(mark.parent)) is None


def test_a_program_sees_its_own_name_first(mark: Path) -> None:
    (mark.parent / "tool").write_text('#!/bin/sh\necho "$0"\n')
    said = run(("sh", "-c", 'echo "$0"'), {"PATH": "/usr/bin:/bin"}).stdout
    assert said == b"sh\n"


@pytest.mark.parametrize(
    "path",
    [
        *("/proc/self/cwd", "/proc/self/cwd/", "/proc/self/../self/cwd", "/proc/thread-self/cwd"),
        *("/proc/self/cwd/inner", "/proc/self/root{}/inner", "{}/far/cwd", "{}/far/link"),
        *("{}/far/twice", "{}/far/deep", "{}/far/loop", "{}/far/link/../tree"),
    ],
)
def test_nor_by_another_name(
    mark: Path, path: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    far = tmp_path_factory.mktemp("far") / "far"
    far.mkdir()
    for name, aim in {
        "cwd": "/proc/self/cwd",
        "link": str(mark.parent),
        "twice": "link",
        "deep": "cwd/inner",
        "loop": "loop",
        "tree": "../far/link",
    }.items():
        (far / name).symlink_to(aim)
    here = path.format(mark.parent if "root" in path else far.parent)
    assert find_program("tool", here) is None
    assert find_program("tool", f"{here}:/nowhere") is None


def test_a_folder_by_its_own_name_or_a_link_elsewhere_is_searched(
    mark: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    far = tmp_path_factory.mktemp("far")
    (far / "link").symlink_to(mark.parent / "inner")
    assert find_program("tool", str(mark.parent)) == str(mark.parent / "tool")
    assert find_program("tool", str(far / "link")) == str(far / "link/tool")


@pytest.mark.parametrize(
    "form", ["{}/.", "{}/inner/..", "{}/./", "{}//.", "/{}", "{}/inner/../.", "{}/../{name}"]
)
@pytest.mark.parametrize("start", STARTS)
def test_the_current_folder_is_not_searched_by_a_roundabout_name(
    mark: Path, form: str, start: Start
) -> None:
    path = form.format(mark.parent, name=mark.parent.name)
    assert find_program("tool", f"/nowhere:{path}") is None
    with pytest.raises(EngineError, match="tool cannot be started: No such file"):
        start(("tool",), {"PATH": path})
    assert not mark.exists()


@pytest.mark.parametrize("form", ["{}", "{}/", "{}//"])
def test_the_current_folder_is_searched_by_its_own_name(mark: Path, form: str) -> None:
    assert find_program("tool", form.format(mark.parent)) is not None
