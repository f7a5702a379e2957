from pathlib import Path

import pytest

from dockless.errors import AuthError, DocklessError, PushError, StrayError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import UploadSession
from dockless.registry.client import RegistryClient
from dockless.registry.throughput import ThroughputMeter
from dockless.registry.uploader import HttpUploader
from dockless.transport.rate_limit import RateLimiter
from fakes.http import StubHttp
from fakes.progress import FakeTask

SHOP, API = (Repository.of("registry.example.com", name) for name in ("shop", "api"))
V2 = "https://registry.example.com/v2"
UPLOADS, SESSION = f"{V2}/shop/blobs/uploads/", f"{V2}/shop/blobs/uploads/1?state=a"
DIGEST = Digest.of(b"layer")
MOUNT = f"{UPLOADS}?mount=sha256%3A{DIGEST.hex}&from=api"
BEGUN = {"Location": "/v2/shop/blobs/uploads/1?state=a"}


@pytest.fixture
def http() -> StubHttp:
    stub = StubHttp()
    stub.on(f"GET {V2}/")
    return stub


@pytest.fixture
def uploader(http: StubHttp) -> HttpUploader:
    client = RegistryClient(http, lambda: None)
    return HttpUploader(client, RateLimiter(None), ThroughputMeter())


def asked(http: StubHttp) -> list[str]:
    return [each.what for each in http.asked if each.what != f"GET {V2}/"]


def test_a_registry_that_begins_an_upload_in_place_of_a_mount_gets_it_cancelled(
    http: StubHttp, uploader: HttpUploader
) -> None:
    http.on(f"POST {MOUNT}", 202, headers=BEGUN)
    http.on(f"DELETE {SESSION}", 204)
    assert not uploader.mount(SHOP, DIGEST, API)
    assert asked(http) == [f"POST {MOUNT}", f"DELETE {SESSION}"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, PushError), (403, AuthError), (404, DocklessError), (405, PushError)],
)
def test_what_is_refused_is_raised(
    http: StubHttp, uploader: HttpUploader, tmp_path: Path, status: int, error: type[Exception]
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"layer")
    session = UploadSession(repository=SHOP, location=SESSION)
    for what in (f"POST {MOUNT}", f"POST {UPLOADS}", f"PUT {SESSION}&digest=sha256%3A{DIGEST.hex}"):
        http.on(what, status)
    with pytest.raises(error):
        uploader.mount(SHOP, DIGEST, API)
    with pytest.raises(error):
        uploader.upload(SHOP, DIGEST, path, FakeTask("uploading", None))
    with pytest.raises(error):
        uploader.stream(SHOP, [b"layer"])
    with pytest.raises(error):
        uploader.commit(session, DIGEST)


@pytest.mark.parametrize("status", [400, 404, 405, 416])
def test_a_session_that_does_not_take_the_bytes_is_cancelled(
    http: StubHttp, uploader: HttpUploader, status: int
) -> None:
    http.on(f"POST {UPLOADS}", 202, headers=BEGUN)
    http.on(f"PATCH {SESSION}", status)
    http.on(f"DELETE {SESSION}", 405)
    with pytest.raises(PushError, match=f"status {status}"):
        uploader.stream(SHOP, [b"layer"])
    assert asked(http)[-1] == f"DELETE {SESSION}"


@pytest.mark.parametrize("status", [202, 204])
def test_an_answer_without_a_location_is_an_error(
    http: StubHttp, uploader: HttpUploader, status: int
) -> None:
    http.on(f"POST {UPLOADS}", 202, headers=BEGUN)
    http.on(f"PATCH {SESSION}", status)
    with pytest.raises(PushError, match="no Location"):
        uploader.stream(SHOP, [b"layer"])


@pytest.mark.parametrize(
    ("status", "cancelled"), [(200, True), (202, True), (204, True), (404, True), (405, False)]
)
def test_a_registry_that_does_not_cancel_is_an_error(
    http: StubHttp, uploader: HttpUploader, status: int, *, cancelled: bool
) -> None:
    http.on(f"DELETE {SESSION}", status)
    session = UploadSession(repository=SHOP, location=SESSION)
    if cancelled:
        uploader.cancel(session)
    else:
        with pytest.raises(PushError, match="status 405"):
            uploader.cancel(session)


@pytest.mark.parametrize("lists", [True, False])
def test_whether_the_registry_lists_a_referrer_is_what_its_answer_says(
    http: StubHttp, uploader: HttpUploader, *, lists: bool
) -> None:
    headers = {"OCI-Subject": str(DIGEST)} if lists else {}
    http.on(f"PUT {V2}/shop/manifests/v1", 201, headers=headers)
    assert uploader.put_manifest(SHOP, "v1", b"{}", "application/json") == lists


RELATIVE = [
    ("7c1e", f"{UPLOADS}7c1e"),
    ("./7c1e?_state=b%2Fc", f"{UPLOADS}7c1e?_state=b%2Fc"),
    ("../uploads/7c1e", f"{UPLOADS}7c1e"),
    ("../../../shop/blobs/uploads/7c1e", f"{UPLOADS}7c1e"),
    ("?id=7c1e", f"{UPLOADS}?id=7c1e"),
    ("/v2/shop/blobs/uploads/7c1e", f"{UPLOADS}7c1e"),
    ("//registry.example.com/v2/shop/blobs/uploads/7c1e", f"{UPLOADS}7c1e"),
]


@pytest.mark.parametrize(("location", "led"), RELATIVE)
def test_a_location_is_relative_to_the_url_that_was_requested(
    http: StubHttp, uploader: HttpUploader, tmp_path: Path, location: str, led: str
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"layer")
    put = f"PUT {led}{'&' if '?' in led else '?'}digest=sha256%3A{DIGEST.hex}"
    http.on(f"POST {UPLOADS}", 202, headers={"Location": location})
    http.on(f"POST {MOUNT}", 202, headers={"Location": location})
    http.on(f"PATCH {led}", 202, headers={"Location": location})
    http.on(f"DELETE {led}", 204)
    http.on(put, 201)
    uploader.upload(SHOP, DIGEST, path, FakeTask("uploading", None))
    uploader.commit(uploader.stream(SHOP, [b"layer"]), DIGEST)
    assert not uploader.mount(SHOP, DIGEST, API)
    begin = f"POST {UPLOADS}"
    sent = [begin, put, begin, f"PATCH {led}", put, f"POST {MOUNT}", f"DELETE {led}"]
    assert asked(http) == sent


INTERNAL = [
    "http://core.internal:8080",
    "https://core.internal",
    "https://registry.example.com:8443",
    "http://registry.example.com",
]


@pytest.mark.parametrize("place", INTERNAL)
@pytest.mark.parametrize("known", [200, 204])
def test_an_upload_goes_on_at_the_host_that_has_it_whatever_its_location_names(
    http: StubHttp, uploader: HttpUploader, place: str, known: int
) -> None:
    led = {"Location": f"{place}/v2/shop/blobs/uploads/1?state=a"}
    http.on(f"POST {UPLOADS}", 202, headers=led)
    http.on(f"GET {SESSION}", known)
    http.on(f"PATCH {SESSION}", 202, headers=led)
    http.on(f"PUT {SESSION}&digest=sha256%3A{DIGEST.hex}", 201)
    for _ in range(3):
        uploader.commit(uploader.stream(SHOP, [b"layer"]), DIGEST)
    assert all(each.split()[1].startswith(V2) for each in asked(http))
    assert asked(http).count(f"GET {SESSION}") <= 1


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_an_upload_stays_where_the_other_host_does_not_take_it(
    http: StubHttp, uploader: HttpUploader, status: int
) -> None:
    elsewhere = f"https://core.internal{SESSION.removeprefix('https://registry.example.com')}"
    http.on(f"POST {UPLOADS}", 202, headers={"Location": elsewhere})
    http.on(f"GET {SESSION}", 400)  # as crane's registry, which answers no such question
    http.on(f"GET {elsewhere}", status)
    http.on(f"PATCH {SESSION}", 202, headers={"Location": elsewhere})
    assert uploader.stream(SHOP, [b"layer"]).location == SESSION


@pytest.mark.parametrize(
    "place",
    [
        "https://uploads.example.com/v2/shop/blobs/uploads/1",
        "https://storage.example.com/bucket/1?signature=x",
        "https://us.example.com/artifacts-uploads/namespaces/a/repositories/b/uploads/1",
    ],
)
def test_an_upload_goes_where_it_is_sent_if_that_is_where_it_is(
    http: StubHttp, uploader: HttpUploader, place: str
) -> None:
    http.on(f"POST {UPLOADS}", 202, headers={"Location": place})
    http.on(f"GET {V2}/shop/blobs/uploads/1", 404)
    http.on(f"GET {place}", 204)
    http.on(f"PATCH {place}", 202, headers={"Location": place})
    assert uploader.stream(SHOP, [b"layer"]).location == place


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]"])
def test_a_link_local_address_is_refused_whatever_the_path_is(
    http: StubHttp, uploader: HttpUploader, address: str
) -> None:
    http.on(
        f"POST {UPLOADS}", 202, headers={"Location": f"http://{address}/v2/shop/blobs/uploads/1"}
    )
    with pytest.raises(StrayError):
        uploader.stream(SHOP, [b"layer"])


def test_a_registry_without_tls_is_not_asked_elsewhere(tmp_path: Path) -> None:
    http = StubHttp(plain_http=True)
    base = "http://registry.example.com/v2/shop/blobs/uploads/"
    http.on("GET http://registry.example.com/v2/")
    http.on(f"POST {base}", 202, headers={"Location": "http://core:8080/v2/shop/blobs/uploads/1"})
    http.on(f"GET {base}1", 204)
    http.on(f"PUT {base}1?digest=sha256%3A{DIGEST.hex}", 201)
    path = tmp_path / "blob"
    path.write_bytes(b"layer")
    uploader = HttpUploader(
        RegistryClient(http, lambda: None), RateLimiter(None), ThroughputMeter()
    )
    uploader.upload(SHOP, DIGEST, path, FakeTask("uploading", None))
    assert not [each for each in asked(http) if "core" in each]
