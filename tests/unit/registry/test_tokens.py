import json
import time
from urllib.parse import parse_qs

import pytest

from dockless.errors import AuthError, PushError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Secret
from dockless.registry.challenges import Challenge
from dockless.registry.tokens import authorize, refused
from fakes.http import StubHttp

REALM = "https://auth.example.com/token"
SCOPE = "repository:team/shop:pull,push"
QUERY = "service=registry&scope=repository%3Ateam%2Fshop%3Apull%2Cpush"
ME = Credential(username="me", password=Secret("pass"), origin="environment")
BEARER = Challenge("bearer", {"realm": REALM, "service": "registry"})


def answered(http: StubHttp, challenge: Challenge, credential: Credential | None) -> str | None:
    made = authorize(http, challenge, credential, SCOPE)
    return made.header.reveal() if made else None


@pytest.mark.parametrize(("credential", "expected"), [(ME, "Basic bWU6cGFzcw=="), (None, None)])
def test_basic_is_answered_with_the_credential_and_nobody_is_asked(
    credential: Credential | None, expected: str | None
) -> None:
    http = StubHttp()
    assert answered(http, Challenge("basic", {}), credential) == expected
    assert http.asked == []


@pytest.mark.parametrize(
    ("credential", "sent"), [(ME, {"Authorization": "Basic bWU6cGFzcw=="}), (None, {})]
)
@pytest.mark.parametrize("member", ["token", "access_token"])
def test_a_token_is_asked_for_with_the_scope(
    credential: Credential | None, sent: dict[str, str], member: str
) -> None:
    http = StubHttp()
    http.on(f"GET {REALM}?{QUERY}", body=json.dumps({member: "abc"}).encode())
    assert answered(http, BEARER, credential) == "Bearer abc"
    assert http.asked[0].headers == sent


def test_a_realm_with_a_query_of_its_own_keeps_it() -> None:
    http = StubHttp()
    http.on(f"GET {REALM}?x=1&{QUERY}", body=b'{"token": "abc"}')
    challenge = Challenge("bearer", {"realm": f"{REALM}?x=1", "service": "registry"})
    assert answered(http, challenge, None) == "Bearer abc"


def test_an_identity_token_is_exchanged() -> None:
    http = StubHttp()
    http.on(f"POST {REALM}", body=b'{"access_token": "abc"}')
    assert (
        answered(
            http,
            BEARER,
            Credential(username="", password=Secret(""), identity_token=Secret("refresh")),
        )
        == "Bearer abc"
    )
    body = http.asked[0].body
    assert isinstance(body, bytes)
    assert parse_qs(body.decode()) == {
        "service": ["registry"],
        "scope": [SCOPE],
        "grant_type": ["refresh_token"],
        "client_id": ["dockless"],
        "refresh_token": ["refresh"],
    }


def test_a_credential_is_not_sent_without_tls_where_the_registry_has_it() -> None:
    http = StubHttp()
    challenge = Challenge("bearer", {"realm": REALM.replace("https", "http")})
    with pytest.raises(AuthError, match="without TLS"):
        authorize(http, challenge, ME, SCOPE)
    assert http.asked == []


def test_a_plain_registry_may_have_a_plain_token_service() -> None:
    http = StubHttp(plain_http=True)
    realm = "http://registry.example.com:5001/token"
    http.on(f"GET {realm}?service=&{QUERY.partition('&')[2]}", body=b'{"token": "abc"}')
    assert answered(http, Challenge("bearer", {"realm": realm}), ME) == "Bearer abc"


@pytest.mark.parametrize("realm", ["", "/token", "ftp://example.com", "http://[x/", "https://a:b/"])
def test_a_realm_that_is_no_web_address_is_not_asked(realm: str) -> None:
    http = StubHttp()
    with pytest.raises(PushError, match="no usable token service") as caught:
        authorize(http, Challenge("bearer", {"realm": realm}), ME, SCOPE)
    assert repr(realm) in caught.value.what
    assert http.asked == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_names_the_user_and_where_the_credential_came_from(status: int) -> None:
    http = StubHttp()
    http.on(f"GET {REALM}?{QUERY}", status)
    with pytest.raises(AuthError, match=r"user me \(from the environment\)") as caught:
        authorize(http, BEARER, ME, SCOPE)
    assert "pass" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"token": ""}', b'{"token": 7}'])
def test_an_answer_without_a_token_is_an_error(body: bytes) -> None:
    http = StubHttp()
    http.on(f"GET {REALM}?{QUERY}", body=body)
    with pytest.raises(PushError, match="issued no token"):
        authorize(http, BEARER, ME, SCOPE)


def test_without_a_credential_the_error_says_how_to_give_one() -> None:
    assert "--password-stdin" in refused(Endpoint(host="registry.example.com"), None).remedy
    source = refused(Endpoint(host="registry.example.com"), None, source=True)
    assert source.remedy == "Log in with `dockless login registry.example.com`."


@pytest.mark.parametrize("life", ["true", "false", "NaN", "Infinity", '"60"'])
def test_a_life_that_is_no_number_of_seconds_is_the_usual_one(life: str) -> None:
    assert _life(f'{{"token": "t", "expires_in": {life}}}') == _life('{"token": "t"}') == 60
    assert _life('{"token": "t", "expires_in": 90}') == 90


def _life(body: str) -> int:
    http = StubHttp()
    http.on(f"GET {REALM}?{QUERY}", body=body.encode())
    before = time.monotonic()
    made = authorize(http, BEARER, None, SCOPE)
    assert made
    return round(made.ends - before)
