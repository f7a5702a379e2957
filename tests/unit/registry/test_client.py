import json

import pytest

from dockless.model.digest import Digest
from dockless.model.errors import AuthError, PushError
from dockless.model.reference import Repository
from dockless.model.secret import Credential, Secret
from dockless.registry.client import RegistryClient
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
OTHER = Repository.of("registry.example.com", "team/other")
ME = Credential("me", Secret("pass"))
BASIC = {"Authorization": "Basic bWU6cGFzcw=="}
DATA = b"a manifest"
DIGEST = Digest.of(DATA)
ABSENT = Digest.of(b"absent")


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


def test_a_tags_digest_is_read_from_the_headers_alone(http: StubHttp) -> None:
    what = f"HEAD {URL}team/shop/manifests/v1"
    http.on(what, headers={"Docker-Content-Digest": str(DIGEST)})
    assert RegistryClient(http, None).tag(SHOP, "v1") == DIGEST
    assert [asked.what for asked in http.asked] == [f"GET {URL}", what]
    accept = http.asked[1].headers["Accept"]
    for kind in ("oci.image.manifest", "oci.image.index", "manifest.v2", "manifest.list"):
        assert kind in accept


def test_a_tag_that_is_not_there_is_none(http: StubHttp) -> None:
    assert RegistryClient(http, None).tag(SHOP, "v1") is None


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": "nonsense"}])
def test_a_registry_that_tells_no_digest_gives_the_manifest(
    http: StubHttp, headers: dict[str, str]
) -> None:
    http.on(f"HEAD {URL}team/shop/manifests/v1", headers=headers)
    http.on(f"GET {URL}team/shop/manifests/v1", body=DATA)
    assert RegistryClient(http, None).tag(SHOP, "v1") == DIGEST


def test_a_manifest_is_compared_with_its_digest(http: StubHttp) -> None:
    http.on(f"GET {URL}team/shop/manifests/{DIGEST}", body=DATA)
    http.on(f"GET {URL}team/shop/manifests/{ABSENT}", body=DATA)
    client = RegistryClient(http, None)
    assert client.manifest(SHOP, DIGEST) == DATA
    with pytest.raises(PushError, match=f"lies: asked for {ABSENT}.*digest {DIGEST}"):
        client.manifest(SHOP, ABSENT)


def test_a_manifest_that_is_not_there_is_none(http: StubHttp) -> None:
    assert RegistryClient(http, None).manifest(SHOP, DIGEST) is None


def test_blobs_are_asked_for_one_by_one(http: StubHttp) -> None:
    http.on(f"HEAD {URL}team/shop/blobs/{DIGEST}")
    assert RegistryClient(http, None).present(SHOP, [DIGEST, ABSENT]) == {DIGEST}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"Content-Type": "text/html; charset=utf-8"}),
        (404, {"Content-Type": "application/json"}),
        (302, {}),
    ],
)
def test_what_does_not_answer_as_a_registry_is_none(status: int, headers: dict[str, str]) -> None:
    http = StubHttp()
    http.on(f"GET {URL}", status, headers=headers)
    with pytest.raises(PushError, match="does not answer as a registry does"):
        RegistryClient(http, None).tag(SHOP, "v1")


@pytest.mark.parametrize("status", [200, 400, 418])
def test_a_page_in_place_of_an_answer_is_an_error(http: StubHttp, status: int) -> None:
    http.on(f"HEAD {URL}team/shop/manifests/v1", status, headers={"Content-Type": "text/html"})
    with pytest.raises(PushError, match=f"answers {status} \\(text/html\\) to HEAD"):
        RegistryClient(http, None).tag(SHOP, "v1")


def test_an_open_registry_wants_no_credential_and_gets_none(http: StubHttp) -> None:
    client = RegistryClient(http, ME)
    assert not client.wants_credential()
    client.tag(SHOP, "v1")
    assert all("Authorization" not in asked.headers for asked in http.asked)


def test_a_locked_registry_gets_the_credential_with_every_question(locked: StubHttp) -> None:
    client = RegistryClient(locked, ME)
    assert client.wants_credential()
    client.tag(SHOP, "v1")
    client.present(SHOP, [DIGEST])
    assert all(asked.headers.items() >= BASIC.items() for asked in locked.asked[1:])


def test_a_kind_of_authentication_that_is_unknown_is_an_error() -> None:
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": "Negotiate"})
    with pytest.raises(PushError, match="kind of authentication"):
        RegistryClient(http, ME).wants_credential()


def test_a_token_is_asked_for_once_a_repository() -> None:
    http = StubHttp()
    realm = 'Bearer realm="https://auth.example.com/",service="s"'
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": realm})
    for path in ("shop", "other"):
        scope = f"service=s&scope=repository%3Ateam%2F{path}%3Apull%2Cpush"
        token = json.dumps({"token": path}).encode()
        http.on(f"GET https://auth.example.com/?{scope}", body=token)
    client = RegistryClient(http, ME)
    for repository in (SHOP, OTHER, SHOP):
        client.tag(repository, "v1")
    sent = [asked.headers.get("Authorization") for asked in http.asked if "team/" in asked.what]
    assert sent == ["Bearer shop", "Bearer other", "Bearer shop"]
    assert sum("auth.example.com" in asked.what for asked in http.asked) == 2


def test_a_refused_credential_is_an_error_and_its_token_is_asked_for_anew(
    locked: StubHttp,
) -> None:
    locked.on(f"HEAD {URL}team/shop/manifests/v1", 401)
    client = RegistryClient(locked, ME)
    with pytest.raises(AuthError, match="refuses the credential of user me"):
        client.tag(SHOP, "v1")
    assert client._headers == {}


@pytest.mark.parametrize(("credential", "user"), [(ME, "me"), (None, "anonymous")])
def test_what_is_not_allowed_names_the_user(
    locked: StubHttp, credential: Credential | None, user: str
) -> None:
    locked.on(f"HEAD {URL}team/shop/manifests/v1", 403)
    with pytest.raises(AuthError, match=f"does not allow {user} to use {SHOP}"):
        RegistryClient(locked, credential).tag(SHOP, "v1")


@pytest.mark.parametrize(
    ("location", "url", "is_own"),
    [
        ("blobs/uploads/", f"{URL}team/shop/blobs/uploads/", True),
        ("/v2/team/shop/x?state=1", f"{URL}team/shop/x?state=1", True),
        (f"{URL}team/shop/x", f"{URL}team/shop/x", True),
        ("https://storage.example.com/x", "https://storage.example.com/x", False),
        ("//storage.example.com/x", "https://storage.example.com/x", False),
        (
            "https://registry.example.com.evil.example/x",
            "https://registry.example.com.evil.example/x",
            False,
        ),
        ("http://registry.example.com/v2/x", "http://registry.example.com/v2/x", False),
    ],
)
def test_the_credential_goes_to_the_registry_itself_and_nowhere_else(
    locked: StubHttp, location: str, url: str, *, is_own: bool
) -> None:
    RegistryClient(locked, ME).request("PUT", SHOP, location, {"X": "1"}, b"body")
    asked = locked.asked[-1]
    assert asked.what == f"PUT {url}"
    assert asked.headers == {"X": "1"} | (BASIC if is_own else {})
    assert asked.body == b"body"
