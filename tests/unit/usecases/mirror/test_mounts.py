import pytest

from dockless.errors import AuthError, DocklessError, NetworkError, PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.usecases.mirror.blob_claims import BlobClaims, SharedBlobs
from dockless.usecases.mirror.mounts import Mounts
from fakes.journal import Journal
from fakes.registry import FakeRegistry
from fakes.uploader import FakeUploader

WEB, API = (Repository.of("registry.example.com", name) for name in ("web", "api"))
ONE, TWO, THREE = (Digest.of(each) for each in (b"one", b"two", b"three"))


@pytest.fixture
def registry() -> FakeRegistry:
    made = FakeRegistry()
    made.repositories[WEB].blobs |= {ONE, TWO}
    return made


@pytest.fixture
def claims() -> BlobClaims:
    shared = SharedBlobs()
    shared.claims().done(WEB, [ONE, TWO])
    return shared.claims()


def test_what_another_repository_has_is_mounted_from_there(
    registry: FakeRegistry, claims: BlobClaims
) -> None:
    mounts = Mounts(API, FakeUploader(registry), claims)
    assert mounts.mount([ONE, TWO, THREE]) == {ONE: True, TWO: True}
    assert registry.repositories[API].blobs == {ONE, TWO}


@pytest.mark.parametrize("failure", [AuthError("No."), PushError("No."), NetworkError("Gone.")])
def test_a_mount_that_fails_is_left_to_the_writer(
    registry: FakeRegistry, claims: BlobClaims, failure: DocklessError
) -> None:
    journal = Journal()
    journal.on(f"mount {ONE}", failure)
    mounts = Mounts(API, FakeUploader(registry, journal), claims)
    assert mounts.mount([ONE, TWO]) == {TWO: True}


def test_what_the_registry_does_not_mount_is_left_to_the_writer(
    registry: FakeRegistry, claims: BlobClaims
) -> None:
    registry.repositories[WEB].blobs.discard(TWO)
    mounts = Mounts(API, FakeUploader(registry), claims)
    assert mounts.mount([ONE, TWO]) == {ONE: True}
