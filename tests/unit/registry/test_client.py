import json
import time
from collections import Counter

import pytest

from dockless.errors import AuthError, ContentRefusedError, DocklessError, PushError
from dockless.model.counts import counted
from dockless.model.secret import Credential, Secret
from dockless.oci.content import Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.refusals import upload_refusal
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
OTHER = Repository.of("registry.example.com", "team/other")
ME = Credential(username="me", password=Secret("pass"))
BASIC = {"Authorization": "Basic bWU6cGFzcw=="}
DATA = b"a manifest"
DIGEST = Digest.of(DATA)
ABSENT = Digest.of(b"absent")
BLOB, LOST = (
    Descriptor(media_type="", digest=DIGEST, size=len(DATA)),
    Descriptor(media_type="", digest=ABSENT, size=6),
)


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
    assert RegistryClient(http, lambda: None).tag(SHOP, "v1") == DIGEST
    assert [asked.what for asked in http.asked] == [f"GET {URL}", what]
    accept = http.asked[1].headers["Accept"]
    for kind in ("oci.image.manifest", "oci.image.index", "manifest.v2", "manifest.list"):
        assert kind in accept


@pytest.mark.parametrize("status", [400, 404, 405, 422])
@pytest.mark.parametrize("digest", [f"sha512:{'a' * 128}", f"sha384:{'b' * 96}", str(DIGEST)])
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_registry_that_knows_no_other_algorithm_is_not_taken_for_a_login_page(
    http: StubHttp, status: int, digest: str, kind: str
) -> None:
    headers = {"Content-Type": kind}
    http.on(f"HEAD {URL}team/shop/blobs/{digest}", status, headers=headers)
    http.on(f"GET {URL}team/shop/manifests/{digest}", status, headers=headers)
    client, blob = RegistryClient(http, lambda: None), Digest.parse(digest)
    asks = (
        lambda: client.existing_blobs(SHOP, [Descriptor(media_type="", digest=blob, size=9)]),
        lambda: client.manifest(SHOP, blob),
    )
    for ask in asks:
        if status == 404:
            assert not ask() or ask() == Presence()
            continue
        with pytest.raises(PushError, match=f"responds with {status}") as caught:
            ask()
        other = kind == "text/plain" and blob.algorithm != "sha256"
        assert ("sha256 digests only" in caught.value.remedy) == other
        assert ("login page" in caught.value.remedy) != other


def test_a_tag_that_is_not_there_is_none(http: StubHttp) -> None:
    assert RegistryClient(http, lambda: None).tag(SHOP, "v1") is None


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": "nonsense"}])
def test_a_registry_that_tells_no_digest_gives_the_manifest(
    http: StubHttp, headers: dict[str, str]
) -> None:
    http.on(f"HEAD {URL}team/shop/manifests/v1", headers=headers)
    http.on(f"GET {URL}team/shop/manifests/v1", body=DATA)
    assert RegistryClient(http, lambda: None).tag(SHOP, "v1") == DIGEST


def test_a_manifest_is_compared_with_its_digest(http: StubHttp) -> None:
    http.on(f"GET {URL}team/shop/manifests/{DIGEST}", body=DATA)
    http.on(f"GET {URL}team/shop/manifests/{ABSENT}", body=DATA)
    client = RegistryClient(http, lambda: None)
    assert client.manifest(SHOP, DIGEST) == DATA
    with pytest.raises(PushError, match=f"returned wrong content: for {ABSENT}.*digest {DIGEST}"):
        client.manifest(SHOP, ABSENT)


def test_a_manifest_that_is_not_there_is_none(http: StubHttp) -> None:
    assert RegistryClient(http, lambda: None).manifest(SHOP, DIGEST) is None


def test_blobs_are_asked_for_one_by_one(http: StubHttp) -> None:
    http.on(f"HEAD {URL}team/shop/blobs/{DIGEST}")
    assert RegistryClient(http, lambda: None).existing_blobs(SHOP, [BLOB, LOST]).there == {DIGEST}


@pytest.mark.parametrize(
    ("headers", "damaged"),
    [
        ({"Content-Length": "10"}, None),
        ({"Content-Length": "9"}, 9),
        ({"Content-Length": "1"}, 1),
        ({"Content-Length": "11", "Content-Encoding": "identity"}, 11),
        ({"Content-Length": "1000000"}, 1_000_000),
        ({}, None),
        ({"Content-Length": "9", "Content-Encoding": "gzip"}, None),
        ({"Content-Length": "9, 9"}, None),
        ({"Content-Length": "-9"}, None),
        ({"Content-Length": "\xb2"}, None),
        ({"Content-Length": "9" * 5000}, None),
        ({"Content-Length": "nine"}, None),
    ],
)
def test_a_blob_of_another_length_than_its_descriptor_says_is_damaged(
    http: StubHttp, headers: dict[str, str], damaged: int | None
) -> None:
    http.on(f"HEAD {URL}team/shop/blobs/{DIGEST}", headers=headers)
    found = RegistryClient(http, lambda: None).existing_blobs(SHOP, [BLOB])
    assert found.there == (set() if damaged else {DIGEST})
    assert found.damaged == ({DIGEST: damaged} if damaged else {})
    assert len(http.asked) == 2, "no request but the ping and the question"
    size = counted(damaged or 0, "byte")
    wrong = f"damaged copy of the blob {DIGEST} of {SHOP}: {size} in place of 10"
    assert found.fault(BLOB, SHOP) == (f"{SHOP.host} has a {wrong}" if damaged else "")


@pytest.mark.parametrize(
    ("status", "body", "there", "damaged"),
    [
        (206, b"a", True, False),
        (200, DATA, True, False),
        (405, b"", True, False),
        (403, b"", True, False),
        (200, b"", False, True),
        (206, b"", False, True),
        (416, b"", False, True),
        (404, b"", False, False),
    ],
)
def test_a_blob_that_is_said_to_be_empty_is_asked_for_its_first_byte(
    http: StubHttp, status: int, body: bytes, *, there: bool, damaged: bool
) -> None:
    http.on(f"HEAD {URL}team/shop/blobs/{DIGEST}", headers={"Content-Length": "0"})
    http.on(f"GET {URL}team/shop/blobs/{DIGEST}", status, body)
    found = RegistryClient(http, lambda: None).existing_blobs(SHOP, [BLOB])
    assert found.there == ({DIGEST} if there else set())
    assert found.damaged == ({DIGEST: 0} if damaged else {})
    assert http.asked[-1].headers == {"Range": "bytes=0-0"}


def test_an_empty_blob_is_as_long_as_it_should_be(http: StubHttp) -> None:
    empty = Descriptor(media_type="", digest=Digest.of(b""), size=0)
    for size, name in (("0", "a"), ("5", "b")):
        where = f"HEAD {URL}team/{name}/blobs/{empty.digest}"
        http.on(where, headers={"Content-Length": size})
    client = RegistryClient(http, lambda: None)
    assert client.existing_blobs(Repository.of(SHOP.host, "team/a"), [empty]).there == {
        empty.digest
    }
    damaged = client.existing_blobs(Repository.of(SHOP.host, "team/b"), [empty]).damaged
    assert damaged == {empty.digest: 5}


@pytest.mark.parametrize(("length", "known"), [("10", 10), ("7", 7), ("0", None), ("", None)])
def test_the_length_of_a_manifest_is_known_from_its_tags_answer(
    http: StubHttp, length: str, known: int | None
) -> None:
    headers = {"Docker-Content-Digest": str(DIGEST), "Content-Length": length}
    http.on(f"HEAD {URL}team/shop/manifests/v1", headers=headers)
    client = RegistryClient(http, lambda: None)
    assert client.said_length(SHOP, DIGEST) is None
    client.tag(SHOP, "v1")
    assert client.said_length(SHOP, DIGEST) == known
    assert len(http.asked) == 2


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
    http.on(f"GET {URL}dockless/none/tags/list", 404, headers=headers)
    with pytest.raises(PushError, match="does not respond as a registry"):
        RegistryClient(http, lambda: None).tag(SHOP, "v1")


PAGE = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("status", [200, 400, 418])
def test_a_page_in_place_of_an_answer_is_an_error(http: StubHttp, status: int) -> None:
    http.on(f"HEAD {URL}team/shop/manifests/v1", status, headers={"Content-Type": "text/html"})
    with pytest.raises(PushError, match=f"responds with {status} \\(text/html\\) to HEAD"):
        RegistryClient(http, lambda: None).tag(SHOP, "v1")


def test_an_open_registry_wants_no_credential_and_gets_none(http: StubHttp) -> None:
    client = RegistryClient(http, lambda: ME)
    assert not client.wants_credential()
    client.tag(SHOP, "v1")
    assert all("Authorization" not in asked.headers for asked in http.asked)


def test_a_locked_registry_gets_the_credential_with_every_question(locked: StubHttp) -> None:
    client = RegistryClient(locked, lambda: ME)
    assert client.wants_credential()
    client.tag(SHOP, "v1")
    client.existing_blobs(SHOP, [BLOB])
    assert all(asked.headers.items() >= BASIC.items() for asked in locked.asked[1:])


def test_a_token_is_asked_for_once_a_repository() -> None:
    http = StubHttp()
    realm = 'Bearer realm="https://auth.example.com/",service="s"'
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": realm})
    for path in ("shop", "other"):
        scope = f"service=s&scope=repository%3Ateam%2F{path}%3Apull%2Cpush"
        token = json.dumps({"token": path}).encode()
        http.on(f"GET https://auth.example.com/?{scope}", body=token)
    client = RegistryClient(http, lambda: ME)
    for repository in (SHOP, OTHER, SHOP):
        client.tag(repository, "v1")
    sent = [asked.headers.get("Authorization") for asked in http.asked if "team/" in asked.what]
    assert sent == ["Bearer shop", "Bearer other", "Bearer shop"]
    assert sum("auth.example.com" in asked.what for asked in http.asked) == 2


def test_a_refused_credential_is_an_error(locked: StubHttp) -> None:
    locked.on(f"HEAD {URL}team/shop/manifests/v1", 401)
    with pytest.raises(AuthError, match="rejects the credential of user me"):
        RegistryClient(locked, lambda: ME).tag(SHOP, "v1")


REALM = "https://auth.example.com/"
TOKEN = f"GET {REALM}?service=s&scope=repository%3Ateam%2Fshop%3Apull%2Cpush"


@pytest.fixture
def bearer() -> StubHttp:
    """A registry with a token service, whose tokens are told apart by their number."""
    http = StubHttp()
    http.on(f"GET {URL}", 401, headers={"WWW-Authenticate": f'Bearer realm="{REALM}",service="s"'})
    for number in range(9):
        http.on(TOKEN, body=json.dumps({"token": f"t{number}", "expires_in": 300}).encode())
    return http


def tokens(http: StubHttp) -> int:
    return sum(asked.what == TOKEN for asked in http.asked)


def test_a_token_that_is_refused_is_replaced_once(bearer: StubHttp) -> None:
    bearer.on(f"HEAD {URL}team/shop/manifests/v1", 401)
    bearer.on(f"HEAD {URL}team/shop/manifests/v1", 404)
    assert RegistryClient(bearer, lambda: ME).tag(SHOP, "v1") is None
    assert tokens(bearer) == 2


def test_a_token_that_does_not_allow_it_is_an_error_that_names_the_user(bearer: StubHttp) -> None:
    bearer.on(f"HEAD {URL}team/shop/manifests/v1", 401)
    with pytest.raises(AuthError, match=f"does not allow me to use {SHOP}"):
        RegistryClient(bearer, lambda: ME).tag(SHOP, "v1")
    assert tokens(bearer) == 2


def test_a_token_is_renewed_shortly_before_its_end(
    bearer: StubHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, now = RegistryClient(bearer, lambda: ME), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    counts = []
    for moment in (0, 269, 270, 539, 540):
        now = float(moment)
        client.tag(SHOP, "v1")
        counts.append(tokens(bearer))
    assert counts == [1, 1, 2, 2, 3]


def test_the_account_is_asked_each_time(locked: StubHttp) -> None:
    users = iter(["first", "second"])
    client = RegistryClient(locked, lambda: Credential(username=next(users), password=Secret("x")))
    for _ in range(2):
        client.tag(SHOP, "v1")
    sent = [asked.headers["Authorization"] for asked in locked.asked[1:]]
    assert sent == [
        f"Basic {Credential(username=user, password=Secret('x')).basic().reveal()}"
        for user in ("first", "second")
    ]


@pytest.mark.parametrize(("credential", "user"), [(ME, "me"), (None, "anonymous")])
def test_what_is_not_allowed_names_the_user(
    locked: StubHttp, credential: Credential | None, user: str
) -> None:
    locked.on(f"HEAD {URL}team/shop/manifests/v1", 403)
    with pytest.raises(AuthError, match=f"does not allow {user} to use {SHOP}"):
        RegistryClient(locked, lambda: credential).tag(SHOP, "v1")


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
    RegistryClient(locked, lambda: ME).request("PUT", SHOP, location, {"X": "1"}, b"body")
    asked = locked.asked[-1]
    assert asked.what == f"PUT {url}"
    assert asked.headers == {"X": "1"} | (BASIC if is_own else {})
    assert asked.body == b"body"


@pytest.mark.parametrize("follows", ["tags/list", "tags/list?last=a", "tags/list?n=1&last=b"])
def test_tags_that_have_no_end_are_an_error(
    http: StubHttp, monkeypatch: pytest.MonkeyPatch, follows: str
) -> None:
    monkeypatch.setattr("dockless.registry.listing.MOST_PAGES", 20)
    link = {"Link": f'<{URL}team/shop/{follows}>; rel="next"'}
    for path in ("tags/list", follows):
        http.on(f"GET {URL}team/shop/{path}", body=b'{"tags": ["a"]}', headers=link)
    with pytest.raises(PushError, match="endless list"):
        RegistryClient(http, lambda: None).tags(SHOP)


def test_a_location_that_only_looks_like_the_registry_gets_no_credential() -> None:
    http = StubHttp()
    http.on("GET https://registry.example.com/v2/", 401, headers={"WWW-Authenticate": "Basic"})
    client = RegistryClient(http, lambda: Credential(username="me", password=Secret("pass")))
    repository = Repository.of("registry.example.com", "a")
    for url in (
        "https://registry.example.com:8443/x",
        "http://registry.example.com/x",
        "https://elsewhere\\@registry.example.com/x",
        "https://registry.example.com@elsewhere/x",
    ):
        client.request("PATCH", repository, url, body=b"x")
        assert "Authorization" not in http.asked[-1].headers
    client.request("PATCH", repository, "HTTPS://Registry.Example.com:443/x", body=b"x")
    assert "Authorization" in http.asked[-1].headers


@pytest.mark.parametrize(
    "location",
    ["javascript:1", "gopher://x/", "ftp://h/", "file:///etc/passwd", "data:,x", "http:///x",
     "http://[x/", "http://h:99999/", "tel:1"],
)  # fmt: skip
def test_a_location_that_is_no_web_address_is_named(http: StubHttp, location: str) -> None:
    client = RegistryClient(http, lambda: None)
    with pytest.raises(PushError, match="not an http or https URL") as caught:
        client.request("PATCH", SHOP, location)
    assert "registry.example.com points to" in caught.value.what
    assert location[:200] in caught.value.what
    assert caught.value.exit_code == 1
    assert all(asked.what.partition(" ")[2].startswith(URL) for asked in http.asked)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("QUOTA_EXCEEDED", ContentRefusedError), ("DENIED", AuthError), ("BLOCKED", AuthError)],
)
def test_what_a_registry_forbids_is_said_in_its_words(
    http: StubHttp, code: str, kind: type[DocklessError]
) -> None:
    body = json.dumps({"errors": [{"code": code, "message": "not today"}]}).encode()
    http.on(f"POST {URL}team/shop/blobs/uploads/", 403, body=body)
    with pytest.raises(kind, match=f"{code}: not today"):
        RegistryClient(http, lambda: None).request("POST", SHOP, "blobs/uploads/")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, AuthError),
        (401, AuthError),
        (412, PushError),
        (413, ContentRefusedError),
        (418, PushError),
    ],
)
def test_a_registry_that_refuses_uploads_says_so_when_it_is_asked(
    http: StubHttp, status: int, kind: type[DocklessError]
) -> None:
    body = b'{"errors": [{"code": "OWN_CODE", "message": "not today"}]}'
    http.on(f"POST {URL}team/shop/blobs/uploads/", status, body=body)
    error = upload_refusal(RegistryClient(http, lambda: None), SHOP)
    assert type(error) is kind
    assert status == 401 or "OWN_CODE: not today" in str(error)


def test_an_upload_that_is_begun_to_ask_is_cancelled(http: StubHttp) -> None:
    http.on(f"POST {URL}team/shop/blobs/uploads/", 202, headers={"Location": "/v2/up/1"})
    http.on("DELETE https://registry.example.com/v2/up/1", 204)
    assert upload_refusal(RegistryClient(http, lambda: None), SHOP) is None
    assert http.asked[-1].what == "DELETE https://registry.example.com/v2/up/1"


TOKENS = "https://auth.example.com/token"
WRITES = [
    ("POST", "blobs/uploads/"),
    ("PUT", "manifests/v1"),
    ("DELETE", "blobs/uploads/1"),
]


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_registry_may_say_at_the_first_write_what_it_requires(
    http: StubHttp, method: str, path: str, scheme: str
) -> None:
    challenge = 'Basic realm="r"'
    header = BASIC["Authorization"]
    if scheme == "Bearer":
        challenge = f'Bearer realm="{TOKENS}",service="s"'
        header = "Bearer t"
        scope = "service=s&scope=repository%3Ateam%2Fshop%3Apull%2Cpush"
        http.on(f"GET {TOKENS}?{scope}", body=b'{"token": "t"}')
    what = f"{method} {URL}team/shop/{path}"
    http.on(what, 401, headers={"WWW-Authenticate": challenge})
    http.on(what, 202)
    client = RegistryClient(http, lambda: ME)
    assert client.tag(SHOP, "v1") is None
    assert client.request(method, SHOP, path, body=None).status == 202
    sent = [each.headers.get("Authorization", "") for each in http.asked if each.what == what]
    assert sent == ["", header]
    client.request(method, SHOP, path)
    assert http.asked[-1].headers["Authorization"] == header
    assert client.login() == ME


@pytest.mark.parametrize("challenge", ['Basic realm="r"', "Negotiate", ""])
def test_a_write_without_a_credential_says_that_one_is_required(
    http: StubHttp, challenge: str
) -> None:
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    http.on(f"POST {URL}team/shop/blobs/uploads/", 401, headers=headers)
    with pytest.raises(AuthError, match="requires a credential"):
        RegistryClient(http, lambda: None).request("POST", SHOP, "blobs/uploads/")
    assert len(http.asked) == 2


def test_what_was_answered_is_not_asked_again(http: StubHttp) -> None:
    blobs = [
        Descriptor(media_type="", digest=Digest.of(bytes([number])), size=1) for number in range(60)
    ]
    for number, blob in enumerate(blobs):
        what = f"HEAD {URL}team/shop/blobs/{blob.digest}"
        if number == 41:
            http.on(what, 418)
        http.on(what, headers={"Content-Length": "1"})
    client, answered = RegistryClient(http, lambda: None), dict[Digest, Presence]()
    with pytest.raises(PushError):
        client.existing_blobs(SHOP, blobs, answered)
    assert client.existing_blobs(SHOP, blobs, answered).there == {blob.digest for blob in blobs}
    asked = Counter(each.what for each in http.asked)
    assert asked.pop(f"HEAD {URL}team/shop/blobs/{blobs[41].digest}") == 2
    assert set(asked.values()) == {1}
