import json
import math

import pytest

from dockless.errors import AuthError, NetworkError, PushError
from dockless.model.secret import Credential, Grant, Secret
from dockless.oci.reference import Repository
from dockless.registry.registry_login import RegistryLogin
from dockless.transport.http import Response
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
ME = Credential(username="me", password=Secret("pass"))
PAGE = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
REALM = "https://auth.example.com/"
TOKEN = f"GET {REALM}?service=s&scope=repository%3Ateam%2Fshop%3Apull%2Cpush"


@pytest.fixture
def http() -> StubHttp:
    """An open registry."""
    http = StubHttp()
    http.on(f"GET {URL}")
    return http


@pytest.fixture
def locked() -> StubHttp:
    """A registry that wants basic authentication."""
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    return http


@pytest.fixture
def bearer() -> StubHttp:
    """A registry with a token service, whose tokens are told apart by their number."""
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": f'Bearer realm="{REALM}",service="s"'})
    for number in range(9):
        http.on(TOKEN, body=json.dumps({"token": f"t{number}", "expires_in": 300}).encode())
    return http


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_registry_behind_a_page_for_people_is_one(status: int) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 200, b"<html>", PAGE)
    http.on(f"GET {URL}dockless/none/tags/list", status, headers=JSON)
    assert not RegistryLogin(http, lambda: ME).wants_credential()
    assert len(http.asked) == 2


def test_a_registry_behind_a_page_is_asked_which_credential_it_wants() -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 200, b"<html>", PAGE)
    headers = {**JSON, "WWW-Authenticate": 'Basic realm="r"'}
    http.on(f"GET {URL}dockless/none/tags/list", 401, headers=headers)
    assert RegistryLogin(http, lambda: ME).wants_credential()


@pytest.mark.parametrize("said", [b"", b"<html>Forbidden</html>", b"not from this network"])
def test_a_registry_that_lets_nobody_in_refuses_the_account(said: bytes) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 403, said, PAGE if b"html" in said else {})
    with pytest.raises(AuthError, match="does not let this machine or account in") as caught:
        RegistryLogin(http, lambda: ME).ping()
    assert caught.value.exit_code == 4
    assert ("this network" in caught.value.what) == (said == b"not from this network")


@pytest.mark.parametrize(
    "said",
    [
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<center>The plain HTTP request was sent to HTTPS port</center>",
        b"Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_plain_http_to_a_port_for_tls_is_said_with_what_to_leave_out(said: bytes) -> None:
    http = StubHttp(plain_http=True)
    http.on(f"GET http://{SHOP.host}/v2/", 400, said, {"Content-Type": "text/html"})
    with pytest.raises(
        NetworkError, match="uses TLS, but the request was sent in plain HTTP"
    ) as caught:
        RegistryLogin(http, lambda: None).ping()
    assert caught.value.remedy == "Leave out --insecure."
    assert (caught.value.exit_code, caught.value.passing) == (6, False)


def test_a_kind_of_authentication_that_is_unknown_is_an_error() -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": "Negotiate"})
    with pytest.raises(PushError, match="kind of authentication"):
        RegistryLogin(http, lambda: ME).wants_credential()


def test_what_others_get_is_a_new_token_for_this_repository(bearer: StubHttp) -> None:
    client = RegistryLogin(bearer, lambda: ME)
    grants = [client.grant(SHOP), client.grant(SHOP)]
    given = [grant.credential and grant.credential.registry_token for grant in grants]
    assert given == [Secret("t0"), Secret("t1")]
    assert grants[0].ends < grants[1].ends < math.inf


@pytest.mark.parametrize("credential", [ME, None])
def test_what_others_get_without_a_token_service_is_the_credential(
    locked: StubHttp, credential: Credential | None
) -> None:
    assert RegistryLogin(locked, lambda: credential).grant(SHOP) == Grant(credential)


def test_a_registry_that_wants_no_credential_has_none_shown(http: StubHttp) -> None:
    def asked() -> Credential:
        pytest.fail("a helper would have been started")

    client = RegistryLogin(http, asked)
    assert client.login() is None
    assert client.grant(SHOP) == Grant(None)


@pytest.mark.parametrize(("status", "raises"), [(200, False), (401, True), (403, True)])
def test_a_login_is_checked_without_a_repository(
    bearer: StubHttp, status: int, *, raises: bool
) -> None:
    bearer.on(f"GET {REALM}?service=s", body=b'{"token": "t"}')
    bearer.on(f"GET {URL}", status)
    client = RegistryLogin(bearer, lambda: ME)
    if raises:
        with pytest.raises(AuthError):
            client.check()
    else:
        assert client.check()


def test_a_registry_that_asks_nobody_cannot_check_a_login() -> None:
    http = StubHttp()
    http.on(f"GET {URL}")
    assert not RegistryLogin(http, lambda: ME).check()


@pytest.mark.parametrize(
    "via", [("http://registry.example.com/v2/",), ("https://a/", "http://b/", "https://c/")]
)
def test_a_challenge_that_came_without_tls_is_not_answered(via: tuple[str, ...]) -> None:
    http = StubHttp()
    asks = {"WWW-Authenticate": 'Basic realm="r"'}
    http._answers["GET https://registry.example.com/v2/"] = [
        Response(status=401, headers=asks, body=b"", via=via)
    ]
    with pytest.raises(PushError, match="without TLS"):
        RegistryLogin(http, lambda: None).ping()


@pytest.mark.parametrize(("lock", "guests"), [("http", False), ("locked", False), ("bearer", True)])
def test_only_a_token_service_has_something_for_guests(
    request: pytest.FixtureRequest, lock: str, *, guests: bool
) -> None:
    assert (
        RegistryLogin(request.getfixturevalue(lock), lambda: None).has_tokens_for_guests() is guests
    )


def test_a_registry_is_pinged_once(locked: StubHttp) -> None:
    login = RegistryLogin(locked, lambda: ME)
    for _ in range(3):
        login.ping()
    assert len(locked.asked) == 1
    assert login.challenge is not None


@pytest.mark.parametrize(("actions", "has_options"), [("pull", False), ("pull,push", True)])
def test_a_refusal_names_options_of_the_target_only_where_it_is_one(
    locked: StubHttp, actions: str, *, has_options: bool
) -> None:
    refusal = RegistryLogin(locked, lambda: None, actions).refusal()
    assert ("--password-stdin" in refusal.remedy) is has_options
