from pathlib import Path

import pytest

from dockless.errors import AuthError, DocklessError, PushError
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
