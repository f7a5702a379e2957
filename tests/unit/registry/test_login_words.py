"""Why a credential is not accepted is said in the words of who refuses it."""

import json

import pytest

from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.login_words import login_words
from dockless.transport.http import Response
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
REALM = "https://auth.example.com/token"
TOKEN = f"{REALM}?service=s&scope=repository%3Ateam%2Fshop%3Apull%2Cpush"
BEARER = {"WWW-Authenticate": f'Bearer realm="{REALM}",service="s"'}
BASIC = {"WWW-Authenticate": 'Basic realm="x"'}
PASSWORD = "hunter2-and-a-half"
ME = Credential(username="me", password=Secret(PASSWORD))
REFRESH = Credential(username="", password=Secret(""), identity_token=Secret("r3fresh-me-not"))


def errors(*messages: str) -> bytes:
    return json.dumps(
        {"errors": [{"code": "DENIED", "message": said} for said in messages]}
    ).encode()


SAID = [
    (errors("HTTP Basic: Access denied. You must use a personal access token"), "You must use a"),
    (errors("access forbidden: 2FA required"), "2FA required"),
    (errors("SSO is needed.", "SSO is needed", "ask it"), "SSO is needed; ask it."),
    (b'{"details": "incorrect username or password"}', ": incorrect username or password."),
    (b'{"error": "invalid_grant", "error_description": "it has expired"}', ": it has expired."),
    (b'{"message": "too many failed\\n logins"}', ": too many failed logins."),
    (b"the account is locked\r\n", ": the account is locked."),
]
SILENT = [b"", b"<html>log in", errors("authentication required"), errors("Unauthorized."),
          b"[1, 2]", b'{"errors": "x", "error": 5}', b'{"details', b"null"]  # fmt: skip


def refusal(http: StubHttp, account: Credential = ME) -> str:
    with pytest.raises(AuthError) as caught:
        RegistryClient(http, lambda: account).tag(SHOP, "v1")
    return caught.value.what


@pytest.mark.parametrize(("body", "said"), SAID)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_words_of_a_token_service_are_shown(status: int, body: bytes, said: str) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=BEARER)
    http.on(f"GET {TOKEN}", status, body=body)
    what = refusal(http)
    assert what.startswith("registry.example.com rejects the credential of user me: ")
    assert said in what
    http.on(f"POST {REALM}", status, body=body)
    assert said in refusal(http, REFRESH)


@pytest.mark.parametrize(("body", "said"), SAID)
def test_the_words_of_a_registry_are_shown(body: bytes, said: str) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=BASIC)
    http.on(f"HEAD {URL}team/shop/manifests/v1", 401, body=body)
    assert said in refusal(http)
    with pytest.raises(AuthError) as caught:
        RegistryClient(http, lambda: ME).check()
    assert "rejects the credential of user me." in caught.value.what
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=BASIC, body=body)
    with pytest.raises(AuthError) as caught:
        RegistryClient(http, lambda: ME).check()
    assert said in caught.value.what


@pytest.mark.parametrize("body", SILENT)
def test_an_answer_that_says_nothing_more_adds_nothing(body: bytes) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=BEARER)
    http.on(f"GET {TOKEN}", 401, body=body)
    assert refusal(http) == "registry.example.com rejects the credential of user me."


@pytest.mark.parametrize("kind", ["text/html", "application/xhtml+xml; charset=utf-8"])
def test_a_page_is_not_shown(kind: str) -> None:
    answer = Response(status=401, headers={"Content-Type": kind}, body=b"log in here")
    assert not login_words(answer)


@pytest.mark.parametrize(
    "said",
    [f"no {PASSWORD}", f"{PASSWORD} for me", "x" * 290 + PASSWORD, "\x1b[2J\u202e" + PASSWORD],
)
def test_the_words_are_one_bounded_line_without_secrets(said: str) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers=BEARER)
    http.on(f"GET {TOKEN}", 401, body=errors(said, "y" * 5000))
    what = refusal(http)
    assert PASSWORD not in what
    assert PASSWORD[:7] not in what
    assert what.isprintable()
    assert len(what) < 400
