"""The list of logins, and the lock that all changes of it take, also where others may write."""

import fcntl
import os
import pwd
from pathlib import Path

import pytest

from dockless.credentials import keyring_logins as module
from dockless.credentials import user_keyrings
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret
from fakes.keyring import MemoryKeyring

ME = Credential(username="me", password=Secret("pass"))


def put(lock: Path) -> None:
    """Keep a login, for which the lock is taken."""
    KeyringLogins("memory", MemoryKeyring, lock).put("ghcr.io", ME)


@pytest.mark.parametrize("to", ["a file", "a folder", "nothing"])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path, to: str) -> None:
    aim = tmp_path / "aim"
    if to == "a file":
        aim.write_text("precious")
    elif to == "a folder":
        aim.mkdir()
    lock = tmp_path / "keyring.lock"
    lock.symlink_to(aim)
    with pytest.raises(AuthError, match="lock of the logins cannot be acquired") as caught:
        put(lock)
    assert "DOCKLESS_CACHE_DIR" in caught.value.remedy
    assert aim.exists() == (to != "nothing")
    assert to != "a file" or aim.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_a_lock_is_not_made_where_others_may_write(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(AuthError, match="is writable by others"):
        put(folder / "keyring.lock")
    assert not list(folder.iterdir())


def test_a_folder_of_the_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aim").mkdir(mode=0o700)
    (tmp_path / "logins").symlink_to("aim")
    with pytest.raises(AuthError, match="is a symbolic link"):
        put(tmp_path / "logins" / "keyring.lock")
    assert not list((tmp_path / "aim").iterdir())


@pytest.mark.parametrize("shared", [0o777, 0o1777, 0o755])
def test_a_user_without_a_home_locks_in_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: int
) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    tmp_path.chmod(shared)
    lock = user_keyrings._lock({"DOCKLESS_CACHE_DIR": str(tmp_path)})
    put(lock)
    assert lock.parent.parent == tmp_path
    assert lock.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_is_locked_as_it_is(tmp_path: Path) -> None:
    put(tmp_path)
    assert not list(tmp_path.iterdir())


def test_whoever_keeps_the_lock_is_not_waited_for_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TURN_SECONDS", 0.0)
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(
            AuthError, match="Another dockless process has been changing the logins"
        ):
            put(tmp_path)
    finally:
        os.close(held)
    put(tmp_path)


class _Counting(MemoryKeyring):
    """Counts what is read, for each of which an encrypted file derives a key."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.read.append(service)
        return super().get_password(service, username)


def test_the_list_of_logins_is_read_once_for_all_scopes(tmp_path: Path) -> None:
    keyring = _Counting()
    KeyringLogins("memory", lambda: keyring, tmp_path).put("ghcr.io", ME)
    logins = KeyringLogins("memory", lambda: keyring, tmp_path)
    keyring.read.clear()
    found = [logins.get(scope) for scope in ("ghcr.io/a/b", "ghcr.io/a", "ghcr.io")]
    assert [each and each.username for each in found] == [None, None, "me"]
    assert keyring.read == ["dockless", "dockless:ghcr.io"]


def test_a_change_is_seen_by_the_next_question(tmp_path: Path) -> None:
    logins = KeyringLogins("memory", _Counting, tmp_path)
    assert logins.get("ghcr.io") is None
    logins.put("ghcr.io", ME)
    assert logins.get("ghcr.io") is not None
    logins.remove("ghcr.io")
    assert logins.get("ghcr.io") is None
