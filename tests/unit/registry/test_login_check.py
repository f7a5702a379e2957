import time

import pytest

from dockless.errors import AuthError, NetworkError
from dockless.model.registry_access import RegistryAccess
from dockless.model.secret import Credential, Secret
from dockless.registry.login_check import check_login
from fakes.http import StubHttp

HOST = "registry.example.com"
URL = f"https://{HOST}/v2/"
ME = Credential(username="me", password=Secret("pass"))
LOCKED = {"WWW-Authenticate": 'Basic realm="x"'}


class Gone(StubHttp):
    """A registry that does not respond."""

    def ask(self, *_: object) -> "None":  # type: ignore[override] # it never returns
        raise NetworkError("It is gone.")


def checked(monkeypatch: pytest.MonkeyPatch, http: StubHttp, until: float | None = None) -> bool:
    monkeypatch.setattr("dockless.transport.http.HttpClient", lambda *_, **__: http)
    return check_login(HOST, RegistryAccess(), {}, until, ME)


@pytest.mark.parametrize(("status", "required"), [(200, False), (401, True)])
def test_a_login_is_checked_where_one_is_required(
    monkeypatch: pytest.MonkeyPatch, status: int, *, required: bool
) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", status, headers=LOCKED if required else {})
    http.on(f"GET {URL}", 200)
    assert checked(monkeypatch, http) is required


def test_a_login_that_is_rejected_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=LOCKED)
    with pytest.raises(AuthError, match="rejects the credential of user me"):
        checked(monkeypatch, http)


@pytest.mark.parametrize(
    ("left", "what"), [(None, "It is gone"), (60, "It is gone"), (-1, "within --timeout")]
)
def test_only_a_limit_that_is_over_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, left: float | None, what: str
) -> None:
    until = None if left is None else time.monotonic() + left
    with pytest.raises(NetworkError, match=what):
        checked(monkeypatch, Gone(), until)
