from pathlib import Path

import platformdirs
import pytest

from dockless.cli.folders import cache_folder, data_folder, home_folder
from dockless.cli.main import _bug_report
from dockless.cli.vaults import vault
from dockless.model.errors import UsageError


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
def test_without_a_home_the_store_needs_a_folder_that_is_named(tmp_path: Path) -> None:
    assert home_folder() == Path("/")
    assert not data_folder().exists()
    assert cache_folder({"DOCKLESS_CACHE_DIR": str(tmp_path)}) == tmp_path
    with pytest.raises(UsageError, match="no home") as caught:
        cache_folder({})
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy


def test_an_older_platformdirs_leaves_a_tilde_where_there_is_no_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tilde = Path("~/.cache/dockless")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: tilde)
    with pytest.raises(UsageError, match="no home"):
        cache_folder({})


@pytest.mark.usefixtures("homeless")
def test_a_keyring_of_a_user_without_a_name_can_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert vault("kernel", {}).name == "keyring (kernel keyring)"


@pytest.mark.usefixtures("homeless")
def test_a_bug_is_told_to_a_user_without_a_home() -> None:
    assert "ZeroDivisionError: by zero" in _bug_report(ZeroDivisionError("by zero"))
