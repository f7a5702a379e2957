import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockless.engines import find as module
from dockless.engines.find import candidates, distrust, find, others_may_write, own_folder
from dockless.engines.probe import trusted_probe
from dockless.errors import UsageError


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


@pytest.mark.parametrize(
    "text", [".", "bin", "./bin", "../tools", "~/tools", "$HOME/tools", " /opt"]
)
def test_a_relative_own_folder_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not taken from the current folder") as caught:
        own_folder({"DOCKLESS_TOOLS_DIR": text}, Path("/data/dockless"))
    assert repr(text) in caught.value.what
    assert caught.value.remedy == "Set DOCKLESS_TOOLS_DIR to the absolute path of a folder."


@pytest.mark.parametrize("path", ["", ":", ".", "bin", "/nonexistent:", "/nonexistent::/nowhere"])
def test_no_engine_comes_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    program(tmp_path / "bin")
    (tmp_path / "crane").symlink_to("bin/crane")
    monkeypatch.chdir(tmp_path)
    assert candidates("crane", path, tmp_path / "own") == ()


@pytest.mark.parametrize(
    ("folder_mode", "mode", "said"),
    [
        (0o777, 0o755, "own is writable by everyone"),
        (0o1777, 0o755, "own is writable by everyone"),
        (0o755, 0o757, "crane is writable by everyone"),
        (0o755, 0o755, ""),
        (0o700, 0o700, ""),
    ],
)
def test_what_others_may_write_in_our_own_folder_is_not_run(
    tmp_path: Path, folder_mode: int, mode: int, said: str
) -> None:
    ours = program(tmp_path / "own", mode)
    ours.parent.chmod(folder_mode)
    why = distrust(ours, ours.parent)
    assert said in why
    assert bool(why) == bool(said)
    found = trusted_probe("crane", ours, ours.parent, {"PATH": "/usr/bin:/bin"})
    assert (found.unusable == why) == bool(said)
    # elsewhere it is the user's PATH that says so
    assert distrust(ours, tmp_path) == ""


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_link_to_what_others_may_write_is_not_run(tmp_path: Path, where: str) -> None:
    theirs = program(tmp_path / "theirs")
    if where == "file":
        theirs.chmod(0o777)
    else:
        theirs.parent.chmod(0o777)
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    (own / "crane").symlink_to(theirs)
    assert str(theirs.parent) in distrust(own / "crane", own)


@pytest.mark.parametrize(
    ("user", "group", "members", "trusted"),
    [
        ("me", "me", [], True),
        ("me", "users", [], False),
        ("me", "me", ["other"], False),
        (None, None, [], False),
    ],
)
def test_a_group_is_trusted_where_it_is_the_users_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str | None,
    group: str | None,
    members: list[str],
    trusted: bool,  # noqa: FBT001 - it is the expectation
) -> None:
    def named(known: object) -> Callable[[int], object]:
        def look(_: int) -> object:
            if user is None:
                raise KeyError
            return known

        return look

    gid = 4321
    account = SimpleNamespace(pw_name=user, pw_gid=gid)
    entry = SimpleNamespace(gr_name=group, gr_gid=gid, gr_mem=members)
    monkeypatch.setattr(module, "pwd", SimpleNamespace(getpwuid=named(account)))
    monkeypatch.setattr(module, "grp", SimpleNamespace(getgrgid=named(entry)))
    found = os.stat_result((0o40775, 0, 0, 1, os.geteuid(), gid, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _: found)
    assert (others_may_write(tmp_path) == "") == trusted


def test_what_another_user_owns_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.stat_result((0o40755, 0, 0, 1, os.geteuid() + 17, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _: found)
    assert "belongs to another user" in others_may_write(tmp_path)


def test_what_is_mounted_read_only_may_belong_to_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.stat_result((0o40777, 0, 0, 1, 65534, 65534, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _: found)
    assert others_may_write(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert others_may_write(tmp_path) == ""


@pytest.mark.parametrize(
    ("mode", "trusted"),
    [(0o777, False), (0o757, False), (0o770, True), (0o1777, True), (0o755, True), (0o700, True)],
)
@pytest.mark.parametrize("where", ["tools", "a/b/tools", "link", "link/inner", "chain"])
def test_our_own_folder_may_not_be_replaced(
    tmp_path: Path,
    where: str,
    mode: int,
    trusted: bool,  # noqa: FBT001 - the expectation
) -> None:
    shared = tmp_path / "shared"
    for each in ("tools", "a/b/tools"):
        program(shared / each)
    aim = tmp_path / "aim"
    program(aim)
    program(aim / "inner")
    (shared / "link").symlink_to(aim)
    (tmp_path / "chain").symlink_to("shared/link")
    for folder in (tmp_path, shared / "a", shared / "a/b", aim):
        folder.chmod(0o755)
    shared.chmod(mode)
    own = tmp_path / "chain" if where == "chain" else shared / where
    why = distrust(own / "crane", own)
    if os.getgid() == 0 or mode != 0o770:
        assert (why == "") == trusted
    assert trusted or str(shared) in why
