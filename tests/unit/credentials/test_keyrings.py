"""Only what is a keyring is loaded, and only that is called."""

import sys
from pathlib import Path

import pytest

from dockless.credentials import keyrings
from dockless.errors import UsageError

OTHERS = (
    *("os.system", "os.getcwd", "builtins.print", "subprocess.Popen", "antigravity.fly", "this.s"),
    *("../x.Y", "..x.Y", ".x.Y", "x..Y", "/x/x.Y", "x.", ".", "..", "a b.C", "x.\x00", "os", ""),
    *("click.echo", "click.Command", "msgspec.Struct", "keyring.get_password", "keyring.backend"),
    *("keyring.backend.NoSuch", "no_such_module.Keyring", "strange.Keyring", "strange.made"),
    *("strange.Keyring.sub", "broken.Keyring", "failing.Keyring", "keyring.backend.KeyringBackend"),
)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What modules of others write to when something of theirs is called."""
    mark = tmp_path / "ran"
    text = f"def made(*_): open({str(mark)!r}, 'w')\nclass Keyring:\n    __init__ = made\n"
    (tmp_path / "strange.py").write_text(text)
    (tmp_path / "broken.py").write_text("def")
    (tmp_path / "failing.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    return mark


@pytest.mark.parametrize("choice", OTHERS)
def test_what_is_no_keyring_is_refused_and_not_called(
    ran: Path, choice: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="keyring"):
        keyrings.backend(choice, {})
    with pytest.raises(UsageError, match="keyring"):
        keyrings.check_choice(choice)
    assert not keyrings.answers(choice)
    assert not ran.exists()
    assert capfd.readouterr().out == ""
    assert not {"antigravity", "this"} & set(sys.modules)


def test_a_keyring_of_others_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def get_password(self, service, username): return 'held'\n"
        "    def set_password(self, service, username, password): pass\n"
        "    def delete_password(self, service, username): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert keyrings.backend("theirs.Keyring", {}).get_password("a", "b") == "held"


@pytest.mark.skipif(sys.platform == "darwin", reason="it is that system's")
@pytest.mark.parametrize("choice", ["macos", "keyring.backends.macOS.Keyring"])
def test_the_keyring_of_another_system_is_told_as_such(choice: str) -> None:
    for ask in (keyrings.check_choice, lambda each: keyrings.backend(each, {})):
        if ask is keyrings.check_choice and choice == "macos":
            continue  # one of the choices, which is looked at when it is opened
        with pytest.raises(UsageError, match="on macOS only") as caught:
            ask(choice)
        assert "kernel" in caught.value.remedy
