"""The file is checked before the library reads it; it is version 0.1.0's own, or damaged."""

import os
from functools import partial
from pathlib import Path

import pytest

from dockless.credentials import keyrings
from dockless.credentials.encrypted_file import checked, path_of
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.errors import AuthError
from dockless.model.secret import Secret

GOOD = (
    Path(__file__).parents[2] / "compat/v0.1.0/logins/data/python_keyring/cryptfile_pass.cfg"
).read_text()
LOGIN = ("dockless:registry.example", "pusher")
SECRET = "S3cr3tLine"
OPEN = {"DOCKLESS_KEYRING_PASSWORD": "a"}

DAMAGED = [
    "",
    "\n\n",
    f"password={SECRET}\n",
    f"[{SECRET}]\n[{SECRET}]\n",
    f"[a]\nb = {SECRET}\nb = {SECRET}\n",
    f"[a]\n{SECRET}\n",
    f"{GOOD}[dockless]\n",
    f"\x00{SECRET}",
    "[dockless]\nindex = x\n",
    GOOD[:100],
    GOOD[: GOOD.index("scheme")] + "scheme = [Argon2] AES128.GCM\n",
    GOOD[: GOOD.index("pusher") + 60],
    GOOD[: len(GOOD) // 2],
    GOOD[: GOOD.index("[dockless]") - 30],
    GOOD.replace("eyJzYWx0IjogInRM", "????????????????"),
]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path at which the library has its file; the folder is there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("dockless.credentials.encrypted_file._BETWEEN_SECONDS", 0.0)
    (tmp_path / "python_keyring").mkdir()
    return tmp_path / "python_keyring/cryptfile_pass.cfg"


@pytest.fixture
def logins(tmp_path: Path) -> KeyringLogins:
    return KeyringLogins("file", partial(keyrings.backend, "file", OPEN), tmp_path)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_said_to_be_one_and_is_left_as_it_is(
    path: Path, logins: KeyringLogins, text: str
) -> None:
    path.write_text(text)
    with pytest.raises(AuthError, match="is damaged: ") as caught:
        logins.logins()
    assert SECRET not in str(caught.value)
    assert path.read_text() == text


def test_a_file_that_is_not_text_is_damaged(path: Path, logins: KeyringLogins) -> None:
    path.write_bytes(b"\xff\xfe[a]\n")
    with pytest.raises(AuthError, match="is damaged"):
        logins.logins()


@pytest.mark.parametrize("kind", ["folder", "loop", "fifo", "device", "file in the way"])
def test_what_is_no_file_is_not_opened(path: Path, logins: KeyringLogins, kind: str) -> None:
    match kind:
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.parent.rmdir()
            path.parent.touch()
    with pytest.raises(AuthError, match="cannot be read"):
        logins.logins()


def test_a_file_that_is_cut_between_entries_still_lists_those_that_are_left(path: Path) -> None:
    path.write_text(GOOD)
    assert checked(path) == (LOGIN, ("dockless", "index"))
    path.write_text(GOOD[: GOOD.index("[dockless]")])
    assert checked(path) == (LOGIN,)


def test_a_file_that_is_not_there_is_new(path: Path) -> None:
    assert checked(path) is None


def test_a_login_is_kept_in_a_new_file(path: Path, logins: KeyringLogins) -> None:
    assert logins.logins() == ()
    assert checked(path) == ()


@pytest.mark.parametrize("method", ["get", "logins", "remove"])
def test_without_a_home_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, logins: KeyringLogins, method: str
) -> None:
    def homeless(_: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(homeless))
    arguments = () if method == "logins" else ("registry.example",)
    with pytest.raises(AuthError, match="has no home"):
        getattr(logins, method)(*arguments)


def test_the_path_is_the_library_s() -> None:
    assert path_of(lambda: "/a/b") == Path("/a/b")


@pytest.mark.parametrize(
    "error", ["OSError(5, W)", "RuntimeError(W)", "KeyError(W)", "ValueError(W)"]
)
def test_a_keyring_that_cannot_be_made_fails_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    name = f"failing_{error.partition('(')[0].lower()}"
    (tmp_path / f"{name}.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        f"W = {SECRET!r}\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 1\n"
        f"    def __init__(self): raise {error}\n"
        "    def get_password(self, service, username): pass\n"
        "    def set_password(self, service, username, password): pass\n"
        "    def delete_password(self, service, username): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    opened = partial(keyrings.backend, f"{name}.Keyring", {})
    with pytest.raises(AuthError, match="cannot be opened") as caught:
        KeyringLogins(f"{name}.Keyring", opened, tmp_path).logins()
    assert SECRET not in str(caught.value)


def test_a_prompt_that_was_left_is_no_failure_of_the_keyring(path: Path, tmp_path: Path) -> None:
    class LeftError(RuntimeError):
        """As click raises it."""

    def leave(_: str) -> Secret:
        raise LeftError

    path.write_text(GOOD)
    with pytest.raises(LeftError):
        KeyringLogins("file", partial(keyrings.backend, "file", {}, None, leave), tmp_path).logins()


def test_a_wrong_password_is_said_to_be_wrong(path: Path, logins: KeyringLogins) -> None:
    path.write_text(GOOD)
    with pytest.raises(AuthError, match="not the password"):
        logins.logins()
    assert path.read_text() == GOOD
