import json

import pytest

from dockless.errors import PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.registry.client import RegistryClient
from dockless.registry.links import next_page
from dockless.registry.listing import attached
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
TAGS = f"GET {URL}team/shop/tags/list"
SUBJECT = Digest.of(b"subject")
REFERRERS = f"GET {URL}team/shop/referrers/{SUBJECT}"
SECOND = f"{URL}team/shop/more"
LINKS = [
    f'<{SECOND}>; rel="next"',
    f"<{SECOND}>; rel=next",
    f'<{SECOND}>; title="x"; rel="next"',
    f'<{SECOND}>; REL="next"',
    f'<{SECOND}>; rel = "next"',
    f'<{SECOND}>;rel="prefetch NEXT"',
    f'<https://a.example/>; rel="prev", <{SECOND}>; rel="next"',
    f'<https://a.example/>; title="a, <b>; rel=next"; rel="first" , <{SECOND}>;rel="next"',
    '</v2/team/shop/more>; rel="next"',
    '<../more>; rel="next"',
    '<../../../team/shop/more>; rel="next"',
    '<../../../../v2/team/shop/more>; rel="next"',
]


@pytest.fixture
def http() -> StubHttp:
    http = StubHttp()
    http.on(f"GET {URL}")
    return http


@pytest.fixture
def client(http: StubHttp) -> RegistryClient:
    return RegistryClient(http, lambda: None)


def descriptor(data: bytes) -> dict[str, object]:
    kind = "application/vnd.oci.image.manifest.v1+json"
    return {"mediaType": kind, "digest": str(Digest.of(data)), "size": len(data)}


def listed(*entries: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": entries}).encode()


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", '<a>; rel="prev"', '<a>; title="rel=next"', '<a>; rel="last"; rel="next"'],
)
def test_what_is_no_link_to_a_next_page(header: str) -> None:
    assert next_page({"Link": header}) == ""


@pytest.mark.parametrize("header", ["<" * 50_000, '<a>;"' * 9000, "<a>" + ";x" * 20_000])
def test_a_long_header_is_read_to_an_end(header: str) -> None:
    assert next_page({"Link": header}) == ""


@pytest.mark.parametrize("link", LINKS)
def test_every_page_of_the_tags_is_read_and_each_tag_taken_once(
    http: StubHttp, client: RegistryClient, link: str
) -> None:
    http.on(TAGS, body=b'{"tags": ["a", "b", "a"]}', headers={"Link": link})
    http.on(f"GET {SECOND}", body=b'{"tags": ["b", "c"]}')
    assert client.tags(SHOP) == ("a", "b", "c")


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("back", [0, -1])
def test_a_list_that_leads_in_a_circle_is_an_error_after_one_round(
    http: StubHttp, client: RegistryClient, count: int, back: int
) -> None:
    pages = [f"{URL}team/shop/tags/{number}" for number in range(count)]
    places = [TAGS, *(f"GET {page}" for page in pages)]
    targets = [*pages, pages[back]]  # to the first that has an address of its own, or to itself
    for place, target in zip(places, targets, strict=True):
        http.on(place, body=b'{"tags": ["a"]}', headers={"Link": f'<{target}>; rel="next"'})
    with pytest.raises(PushError, match="endless list"):
        client.tags(SHOP)
    assert len([each for each in http.asked if "/tags/" in each.what]) == count + 1


@pytest.mark.parametrize("status", [404, 400, 204, 410])
def test_a_page_of_tags_that_is_not_there_is_an_error(
    http: StubHttp, client: RegistryClient, status: int
) -> None:
    http.on(TAGS, body=b'{"tags": ["a"]}', headers={"Link": LINKS[0]})
    http.on(f"GET {SECOND}", status)
    with pytest.raises(PushError, match=f"page 2: it responds with {status}"):
        client.tags(SHOP)


@pytest.mark.parametrize("body", [b'{"tags": "abc"}', b'{"tags": [1]}', b"[]", b'{"tags": ["a'])
def test_what_lists_no_tags_is_an_error(
    http: StubHttp, client: RegistryClient, body: bytes
) -> None:
    http.on(TAGS, body=body)
    with pytest.raises(PushError, match="the whole list of the tags"):
        client.tags(SHOP)


@pytest.mark.parametrize("link", LINKS)
def test_every_page_of_referrers_is_read(http: StubHttp, client: RegistryClient, link: str) -> None:
    http.on(REFERRERS, body=listed(descriptor(b"a")), headers={"Link": link})
    http.on(f"GET {SECOND}", body=listed(descriptor(b"b")))
    found = client.referrers(SHOP, SUBJECT, pytest.fail)
    assert [each.digest for each in found] == [Digest.of(b"a"), Digest.of(b"b")]


@pytest.mark.parametrize("odd", [None, 5, {}, {**descriptor(b"x"), "size": -1}, ["a"]])
def test_an_odd_descriptor_is_left_out_and_named(
    http: StubHttp, client: RegistryClient, odd: object
) -> None:
    notes: list[str] = []
    http.on(REFERRERS, body=listed(descriptor(b"a"), odd, descriptor(b"b")))
    assert len(client.referrers(SHOP, SUBJECT, notes.append)) == 2
    assert len(notes) == 1
    assert "left out" in notes[0]


@pytest.mark.parametrize("body", [b"garbage", b"", b'{"manifests": [', b"{}", b'{"manifests": 1}'])
def test_a_list_of_referrers_that_cannot_be_read_is_an_error(
    http: StubHttp, client: RegistryClient, body: bytes
) -> None:
    http.on(REFERRERS, body=body)
    with pytest.raises(PushError, match="the whole list of the referrers"):
        client.referrers(SHOP, SUBJECT, pytest.fail)


@pytest.mark.parametrize("status", [204, 302, 409, 418])
def test_an_odd_answer_for_referrers_is_an_error(
    http: StubHttp, client: RegistryClient, status: int
) -> None:
    http.on(REFERRERS, status)
    with pytest.raises(PushError, match=f"responds with {status}"):
        client.referrers(SHOP, SUBJECT, pytest.fail)


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [(404, {}, 0), (405, {}, 0), (400, {}, 1), (200, {"Content-Type": "text/html"}, 1)],
)
@pytest.mark.parametrize("has_tag", [True, False])
def test_where_there_is_no_api_the_tag_has_the_list(
    http: StubHttp,
    client: RegistryClient,
    status: int,
    headers: dict[str, str],
    said: int,
    *,
    has_tag: bool,
) -> None:
    notes: list[str] = []
    http.on(REFERRERS, status, headers=headers)
    if has_tag:
        tag = SUBJECT.referrers_tag()
        http.on(f"GET {URL}team/shop/manifests/{tag}", body=listed(descriptor(b"a")))
    assert len(client.referrers(SHOP, SUBJECT, notes.append)) == (1 if has_tag else 0)
    assert len(notes) == (0 if has_tag else said)


def test_what_is_attached_is_tagged_by_cosign_or_a_referrer(
    http: StubHttp, client: RegistryClient
) -> None:
    found = Digest.of(b"sbom")
    name = f"sha256-{SUBJECT.hex}.sig"
    there = {"Docker-Content-Digest": str(Digest.of(b"signature"))}
    http.on(f"HEAD {URL}team/shop/manifests/{name}", headers=there)
    http.on(REFERRERS, body=listed(descriptor(b"sbom")))
    assert attached(client, SHOP, SUBJECT, pytest.fail) == (
        Reference(SHOP, name),
        Reference(SHOP, digest=found),
    )
