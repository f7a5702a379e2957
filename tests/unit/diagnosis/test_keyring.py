import threading
from collections.abc import Iterator

import pytest

from dockless.credentials import keyrings, secret_service
from dockless.credentials.keyrings import Backend
from dockless.diagnosis.keyring import KeyringState, check, look, tried, why_hidden
from dockless.errors import AuthError, UsageError
from dockless.model.finding import Finding
from fakes.keyring import MemoryKeyring

LOCKED = KeyringState(choice="secret-service", hidden="it is locked")


def _check(
    keyring: KeyringState, backend: Backend, *, write: bool = True, terminal: bool = False
) -> Finding:
    [found] = check(lambda: keyring, lambda _: backend, write=write, terminal=terminal)
    assert found.state != "problem" or found.remedy
    return found


def test_without_write_nothing_is_opened() -> None:
    def opened(choice: str) -> Backend:
        raise AssertionError(choice)

    [found] = check(lambda: KeyringState(choice="kernel"), opened, write=False, terminal=True)
    assert (found.subject, found.state) == ("kernel keyring", "ok")
    [found] = check(lambda: LOCKED, opened, write=False, terminal=True)
    assert (found.state, "it is locked" in found.what) == ("note", True)


@pytest.mark.parametrize("chosen", ["foo", "no.such.Keyring", "keyring.backends.null.Keyring"])
def test_a_choice_that_is_no_keyring_is_refused_in_the_words_of_a_login(chosen: str) -> None:
    with pytest.raises(UsageError) as login:
        keyrings.backend(chosen, {})
    with pytest.raises(UsageError) as doctor:
        look({}, chosen, terminal=False)
    assert (doctor.value.what, doctor.value.remedy) == (login.value.what, login.value.remedy)


def test_none_at_all_is_worth_a_note() -> None:
    assert _check(KeyringState(choice=""), MemoryKeyring()).state == "note"


def test_with_write_an_entry_is_kept_read_and_gone_again() -> None:
    ring = MemoryKeyring()
    found = _check(KeyringState(choice="kernel", chosen="DOCKLESS_KEYRING"), ring)
    assert (found.state, found.what) == ("ok", "writes, reads and deletes (DOCKLESS_KEYRING)")
    assert ring.secrets == {}


def test_what_may_open_a_dialog_is_tried_at_a_terminal_only() -> None:
    ring = MemoryKeyring()
    assert _check(LOCKED, ring).state == "problem"
    assert _check(LOCKED, ring, terminal=True).state == "ok"


class _Forgetful(MemoryKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing."""


class _Changing(MemoryKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:
        self.secrets[service, username] = f"{password} "


class _Clinging(MemoryKeyring):
    def delete_password(self, service: str, username: str) -> None:
        """Keep it."""


class _Refusing(MemoryKeyring):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def set_password(self, *_: str, **__: str) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("ring", "what"),
    [
        (_Forgetful(), "does not return"),
        (_Changing(), "does not return"),
        (_Clinging(), "still returns"),
        (_Refusing(AuthError("It is full.")), "It is full"),
        (_Refusing(RuntimeError("secret")), "it failed: runtime error"),
    ],
)
def test_what_is_wrong_with_a_keyring_is_said(ring: MemoryKeyring, what: str) -> None:
    found = _check(KeyringState(choice="kernel"), ring)
    assert (found.state, what in found.what) == ("problem", True)
    assert "secret" not in found.what


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_one_that_hangs_is_given_up(over: threading.Event) -> None:
    class Hanging(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            over.wait()
            return super().get_password(service, username)

    assert "did not respond within 0.1 seconds" in tried("kernel", lambda _: Hanging(), 0.1)


@pytest.mark.parametrize(
    ("state", "hidden"),
    [("open", False), ("locked", True), ("not running", True), ("no collection", True)],
)
def test_a_secret_service_is_asked_only_when_that_opens_no_dialog_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, state: str, *, hidden: bool
) -> None:
    monkeypatch.setattr(secret_service, "state", lambda _: state)
    assert bool(why_hidden("secret-service", {}, terminal=True)) == hidden
    found = look({}, "secret-service", terminal=True)
    assert (found.choice, bool(found.hidden)) == ("secret-service", hidden)


def test_others_are_asked_at_a_terminal_and_the_kernels_always() -> None:
    assert why_hidden("kernel", {}, terminal=False) == ""
    for choice in ("macos", "file", "some.Keyring"):
        assert why_hidden(choice, {}, terminal=False)
        assert why_hidden(choice, {}, terminal=True) == ""
    opened = {"DOCKLESS_KEYRING_PASSWORD": "x"}
    assert why_hidden("file", opened, terminal=False) == ""


def test_a_bus_without_a_secret_service_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secret_service, "state", lambda _: "no service")
    monkeypatch.setattr(
        "dockless.credentials.keyrings.available", lambda _: ("secret-service", "kernel")
    )
    assert look({}, "", terminal=False) == KeyringState(choice="kernel")
    assert look({}, "secret-service", terminal=False).choice == "secret-service"
