from pathlib import Path

from dockless.engines.find import candidates, find, own_folder


def program(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True)
    path = folder / "crane"
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_program_on_path_comes_before_our_own(tmp_path: Path) -> None:
    theirs, ours = program(tmp_path / "bin"), program(tmp_path / "own")
    search_path = f"{tmp_path / 'empty'}:{theirs.parent}"
    assert candidates("crane", search_path, ours.parent) == (theirs, ours)
    assert find("crane", search_path, ours.parent) == theirs


def test_our_own_is_found_when_path_has_none_or_is_empty(tmp_path: Path) -> None:
    ours = program(tmp_path / "own")
    assert find("crane", str(tmp_path / "empty"), ours.parent) == ours
    assert find("crane", "", ours.parent) == ours


def test_our_own_folder_on_path_counts_once(tmp_path: Path) -> None:
    ours = program(tmp_path / "own")
    assert candidates("crane", str(ours.parent), ours.parent) == (ours,)


def test_a_file_that_cannot_be_run_is_no_engine(tmp_path: Path) -> None:
    ours = program(tmp_path / "own", mode=0o644)
    assert find("crane", str(ours.parent), ours.parent) is None


def test_a_folder_of_that_name_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "own/crane").mkdir(parents=True)
    assert find("crane", "", tmp_path / "own") is None


def test_the_own_folder_is_below_the_users_data_unless_the_environment_names_another() -> None:
    data = Path("/data/dockless")
    assert own_folder({}, data) == Path("/data/dockless/tools/bin")
    assert own_folder({"DOCKLESS_TOOLS_DIR": ""}, data) == Path("/data/dockless/tools/bin")
    assert own_folder({"DOCKLESS_TOOLS_DIR": "/opt/tools"}, data) == Path("/opt/tools")
