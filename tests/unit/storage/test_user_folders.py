import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from dockless.credentials.user_keyrings import open_keyring_logins
from dockless.errors import UsageError
from dockless.storage.bug_report import bug_report
from dockless.storage.user_folders import cache_folder, data_folder, home_folder


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user without a home, as `Path.home` and platformdirs see one."""

    def fail(*_: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(Path, "home", fail)
    for name in ("user_cache_path", "user_data_path", "user_log_path"):
        monkeypatch.setattr(platformdirs, name, fail)


def test_a_user_with_a_home_has_folders_in_it(empty_home: Path) -> None:
    assert home_folder() == empty_home
    assert cache_folder({}).is_relative_to(empty_home)
    assert data_folder().is_relative_to(empty_home)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_store_is_where_temporary_files_are(tmp_path: Path) -> None:
    assert home_folder() == Path("/")
    assert not data_folder().exists()
    assert cache_folder({"DOCKLESS_CACHE_DIR": str(tmp_path)}) == tmp_path
    folder = cache_folder({"TMPDIR": str(tmp_path)})
    assert folder == tmp_path / f"dockless-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache_folder({"TMPDIR": str(tmp_path)}) == folder


def test_an_older_platformdirs_leaves_a_tilde_where_there_is_no_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tilde = Path("~/.cache/dockless")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: tilde)
    assert cache_folder({"TMPDIR": str(tmp_path)}).parent == tmp_path


@pytest.mark.parametrize("home", ["file", "file/deeper", "file/deeper/still"])
def test_a_home_that_cannot_be_written_to_is_none_for_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home))
    assert cache_folder({"TMPDIR": str(tmp_path)}).parent == tmp_path


def _is_open(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _is_readable(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o750)


def _is_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("made", [_is_open, _is_readable, _is_a_link, Path.touch])
def test_what_somebody_else_may_have_made_for_the_store_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: Callable[[Path], None]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    made(first / f"dockless-{os.getuid()}")
    monkeypatch.setattr(
        "dockless.storage.user_folders.temporary_folders",
        lambda _: (first, tmp_path / "none", second),
    )
    assert cache_folder({}).parent == second
    monkeypatch.setattr("dockless.storage.user_folders.temporary_folders", lambda _: (first,))
    with pytest.raises(UsageError, match="no folder for the store") as caught:
        cache_folder({})
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy


@pytest.mark.usefixtures("homeless")
def test_a_keyring_of_a_user_without_a_name_can_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert open_keyring_logins("kernel", {}).name == "keyring (kernel keyring)"


@pytest.mark.usefixtures("homeless")
def test_a_bug_is_told_to_a_user_without_a_home() -> None:
    assert "ZeroDivisionError: by zero" in bug_report(ZeroDivisionError("by zero"))


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("user", [1000, 65534, 1_000_680_000])
def test_what_another_user_has_made_for_the_store_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int
) -> None:
    (tmp_path / f"dockless-{user}").mkdir(mode=0o700)
    monkeypatch.setattr("dockless.storage.user_folders.temporary_folders", lambda _: (tmp_path,))
    monkeypatch.setattr(os, "getuid", lambda: user)
    with pytest.raises(UsageError, match="no folder for the store"):
        cache_folder({})
