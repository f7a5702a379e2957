"""What `DOCKLESS_CACHE_DIR` and `XDG_CACHE_HOME` may say: one meaning, or one clear error."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dockless.errors import DocklessError, UsageError
from dockless.storage.user_folders import cache_folder, data_folder
from dockless.storage.user_store import store

Run = Callable[..., Result]


def moved(text: str) -> Path:
    return cache_folder({"DOCKLESS_CACHE_DIR": text})


@pytest.mark.parametrize(
    "text",
    [
        *(" ", "\t", "\n", "  \t ", " /srv/x", "/srv/x ", "/srv/x\n", "/srv/a\nb", "/srv/a\x07b"),
        *("/srv/\x1b[2J", "/srv/a\0b", "/srv/\x7f", "~nobody/x", "~root", "~~", "$HOME/x", "$X"),
        *("${HOME}/.cache", "s3://bucket/x", "file:///srv/x", "%USERPROFILE%/x"),
    ],
)
def test_what_is_no_path_of_a_folder_is_one_clear_error(text: str) -> None:
    with pytest.raises(UsageError, match="DOCKLESS_CACHE_DIR is ") as caught:
        moved(text)
    assert str(caught.value).isprintable()
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["~", "~/", "~/x", "~/.cache/a b"])
def test_a_tilde_that_no_shell_replaced_is_the_home(text: str, empty_home: Path) -> None:
    assert moved(text) == empty_home / text[2:]


@pytest.mark.parametrize("text", ["x", "./x", "../x", ".cache/dockless", "a b", "x~", "a$b"])
def test_a_relative_path_begins_at_the_current_folder(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert moved(text) == tmp_path / text
    assert store({"DOCKLESS_CACHE_DIR": text}).folder.is_absolute()


@pytest.mark.parametrize("text", ["/x", "/a b/c", "/srv/$x", "/srv/~", "/日本", "//x", "/srv/%41"])
def test_an_absolute_path_is_taken_as_it_is(text: str) -> None:
    assert moved(text) == Path(text)


def test_a_current_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="the current folder no longer exists"):
        moved("x")
    assert moved("/x") == Path("/x")


@pytest.mark.parametrize("text", ["x", "./x", "~/x", "$HOME/.cache", " ", "..", "s3://x"])
def test_a_relative_xdg_folder_is_ignored(
    text: str, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", text)
    monkeypatch.setenv("XDG_DATA_HOME", text)
    assert cache_folder({"XDG_CACHE_HOME": text}) == empty_home / ".cache" / "dockless"
    assert data_folder() == empty_home / ".local" / "share" / "dockless"


@pytest.mark.parametrize("text", ["/srv/a\nb", "/srv/\x1b[2J"])
def test_an_xdg_folder_that_would_command_a_terminal_is_an_error(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", text)
    with pytest.raises(UsageError) as caught:
        cache_folder({"XDG_CACHE_HOME": text})
    assert str(caught.value).isprintable()


def _file(path: Path) -> None:
    path.touch()


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _to_proc(path: Path) -> None:
    path.symlink_to("/proc")


def _below_a_file(path: Path) -> None:
    path.with_name("file").touch()
    path.symlink_to(path.with_name("file") / "x")


PLACES = {
    "a file": _file,
    "a fifo": os.mkfifo,
    "a broken symbolic link": _dangling,
    "a link to itself": _loop,
    "/proc": _to_proc,
    "below a file": _below_a_file,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "argv", [("cache", "info"), ("cache", "prune"), ("cache", "prune", "--all")]
)
@pytest.mark.parametrize("deeper", ["", "a", "a/b"])
def test_a_folder_that_cannot_be_is_no_empty_store(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    argv: tuple[str, ...],
    deeper: str,
) -> None:
    make(tmp_path / "place")
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "place" / deeper))
    done = run(*argv)
    assert isinstance(done.exception, UsageError), done.output
    assert str(tmp_path / "place") in done.exception.what
    assert done.stdout == ""


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_nor_does_a_push_begin_there(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "place")
    held = store({"DOCKLESS_CACHE_DIR": str(tmp_path / "place")})
    with pytest.raises(DocklessError) as caught, held.run():
        pass
    assert str(tmp_path / "place") in caught.value.what
    assert not caught.value.what.endswith("None.")


def test_looking_makes_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "a" / "b"))
    assert run("cache", "info").exit_code == 0
    assert run("cache", "prune").exit_code == 0
    assert not (tmp_path / "a").exists()
    assert not list(tmp_path.rglob(".trial-*"))
