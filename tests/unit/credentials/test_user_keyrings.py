import pytest

from dockless.credentials import keyrings
from dockless.credentials.user_keyrings import keyring_for_login
from dockless.errors import AuthError
from fakes.keyring import MemoryKeyring


@pytest.mark.parametrize(("ttl", "seconds"), [(None, None), (0.2, 1), (90.9, 90)])
def test_a_keyring_for_a_login_is_opened_with_whole_seconds(
    monkeypatch: pytest.MonkeyPatch, ttl: float | None, seconds: int | None
) -> None:
    asked: list[object] = []

    def opened(choice: str, environment: object, ttl: int | None, *_: object) -> MemoryKeyring:
        asked.append((choice, environment, ttl))
        return MemoryKeyring()

    monkeypatch.setattr(keyrings, "backend", opened)
    assert keyring_for_login("kernel", {}, None, ttl).logins() == ()
    assert asked == [("kernel", {}, seconds)]


def test_a_keyring_that_is_locked_is_found_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> MemoryKeyring:
        raise AuthError("The keyring is locked.")

    monkeypatch.setattr(keyrings, "backend", locked)
    with pytest.raises(AuthError, match="locked"):
        keyring_for_login("kernel", {}, None, None)
