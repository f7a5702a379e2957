import json

import pytest

from dockless.credentials.resolve import FoundCredential
from dockless.diagnosis.registry import (
    check_challenge,
    check_login,
    check_referrers,
    judge_challenge,
    judge_login,
    judge_referrers,
    without_user,
)
from dockless.errors import PushError
from dockless.model.finding import Finding, State
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge
from dockless.registry.client import RegistryClient
from dockless.transport.http import Response
from fakes.http import StubHttp

HOST = "registry.example.com"
BASE = f"https://{HOST}"
REPOSITORY = Repository.of(HOST, "team/app")
ME = Credential(username="me", password=Secret("s3cret"), origin="keyring (kernel keyring)")
SCOPE = "service=auth&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"
UNKNOWN = json.dumps({"errors": [{"code": "NAME_UNKNOWN"}]}).encode()


def _challenge(scheme: str, **parameters: str) -> Finding:
    return judge_challenge(Challenge(scheme, parameters), plain_http=False)


def test_what_a_registry_asks_for_is_told() -> None:
    assert judge_challenge(None, plain_http=False).state == "ok"
    assert "realm 'test'" in _challenge("basic", realm="test").what
    found = _challenge("bearer", realm="https://me:s3cret@auth.example/token?x=s3cret", service="r")
    assert (found.state, found.facts["realm"]) == ("ok", "https://auth.example/token")
    assert "s3cret" not in str(found)


@pytest.mark.parametrize("realm", ["", "token", "http://auth.example/token"])
def test_a_realm_that_no_token_can_be_got_from_is_a_problem(realm: str) -> None:
    found = _challenge("bearer", realm=realm)
    assert (found.state, bool(found.remedy)) == ("problem", True)


def test_a_thing_that_answers_html_is_no_registry() -> None:
    http = StubHttp()
    for path in ("", "dockless/none/tags/list"):
        http.on(f"GET {BASE}/v2/{path}", 200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(PushError, match="does not respond as a registry"):
        list(check_challenge(RegistryClient(http, lambda: None)))


def _login(http: StubHttp, found: FoundCredential) -> Finding:
    client = RegistryClient(http, lambda: found.credential)
    *_, last = check_login(client, found, REPOSITORY)
    assert "s3cret" not in str(last)
    return last


def _bearer(token: int = 200, reads: int = 404) -> StubHttp:
    http = StubHttp()
    header = {"WWW-Authenticate": f'Bearer realm="{BASE}/token",service="auth"'}
    http.on(f"GET {BASE}/v2/", 401, b"", header)
    http.on(f"GET {BASE}/v2/", 200)
    body = json.dumps({"token": "t"}).encode()
    for query in ("service=auth", SCOPE):
        http.on(f"GET {BASE}/token?{query}", token, body)
    http.on(f"GET {BASE}/v2/team/app/tags/list?n=1", reads)
    return http


def test_a_credential_that_gets_a_token_is_told_with_its_origin() -> None:
    found = _login(
        _bearer(), FoundCredential(credential=ME, asked=("keyring (kernel keyring): me",))
    )
    assert (found.state, found.what) == ("ok", "me from keyring (kernel keyring) is accepted")
    assert found.facts["origin"] == "keyring (kernel keyring)"


def test_a_credential_that_is_refused_is_a_problem() -> None:
    found = _login(_bearer(token=401), FoundCredential(credential=ME, asked=()))
    assert (found.state, bool(found.remedy)) == ("problem", True)
    assert "rejects the credential of user me (from keyring" in found.what


def test_a_token_that_does_not_serve_for_the_repository_is_worth_a_note() -> None:
    found = _login(_bearer(reads=403), FoundCredential(credential=ME, asked=()))
    assert (found.state, "may not use registry.example.com/team/app" in found.what) == (
        "note",
        True,
    )


def test_no_credential_where_one_is_wanted_is_a_problem_and_says_who_was_not_asked() -> None:
    http = StubHttp()
    http.on(f"GET {BASE}/v2/", 401, b"", {"WWW-Authenticate": 'Basic realm="test"'})
    asked = ("aws: aws would be queried", "command line: nothing")
    found = _login(http, FoundCredential(credential=None, asked=asked))
    assert (found.state, "dockless login" in found.remedy) == ("problem", True)
    assert "Not queried: aws: aws would be queried." in found.what


@pytest.mark.parametrize(
    ("credential", "asked", "state"),
    [(None, False, "ok"), (None, True, "note"), (ME, False, "ok")],
)
def test_what_else_a_login_can_be(
    credential: Credential | None, state: State, *, asked: bool
) -> None:
    found = judge_login(
        FoundCredential(credential=credential, asked=()),
        asked=asked,
        allowed=True,
        repository=REPOSITORY,
    )
    assert found.state == state


@pytest.mark.parametrize(
    ("answer", "has"),
    [
        (
            Response(
                status=200,
                headers={"Content-Type": "application/vnd.oci.image.index.v1+json"},
                body=b"{}",
            ),
            True,
        ),
        (Response(status=200, headers={"Content-Type": "text/html"}, body=b"<html>"), None),
        (Response(status=404, headers={}, body=b"404 page not found"), False),
        (Response(status=404, headers={}, body=b'{"errors": [{"code": "NOT_FOUND"}]}'), False),
        (Response(status=404, headers={}, body=UNKNOWN), None),
        (Response(status=405, headers={}, body=b""), None),
    ],
)
def test_whether_referrers_are_listed(answer: Response, *, has: bool | None) -> None:
    found = judge_referrers(answer)
    assert found.facts["referrersApi"] is has
    assert found.state == ("note" if has is None else "ok")


def test_referrers_that_may_not_be_asked_for_are_unknown() -> None:
    http = StubHttp()
    http.on(f"GET {BASE}/v2/", 401, b"", {"WWW-Authenticate": 'Basic realm="test"'})
    http.on(f"GET {BASE}/v2/team/app/referrers/sha256:{'e3b0c44298fc1c149afbf4c8996fb924'}", 401)
    [found] = check_referrers(RegistryClient(http, lambda: None), REPOSITORY)
    assert found.facts["referrersApi"] in (None, False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h:1/t?q=s#f", "https://h:1/t"),
        ("Registry Realm", "Registry Realm"),
        ("https://[bad", ""),
    ],
)
def test_a_url_is_shown_without_who_and_what_is_asked(url: str, shown: str) -> None:
    assert without_user(url) == shown


@pytest.mark.parametrize(
    ("scheme", "parameters"),
    [
        ("basic", {"realm": "r" * 100_000}),
        ("bearer", {"realm": "https://auth.example/" + "p" * 100_000, "service": "s" * 100_000}),
        ("bearer", {"realm": "http://auth.example/" + "p" * 100_000}),
        ("bearer", {"realm": "no address " * 10_000}),
        ("digest" * 10_000, {"realm": "r"}),
    ],
)
def test_what_a_registry_says_of_its_login_is_bounded(
    scheme: str, parameters: dict[str, str]
) -> None:
    found = _challenge(scheme, **parameters)
    assert len(found.what) < 3_000
    assert sum(len(str(fact)) for fact in found.facts.values()) < 3_000
    assert "shortened" in f"{found.what}{found.facts}"
