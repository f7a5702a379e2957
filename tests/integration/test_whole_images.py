"""Images that dockless writes and reads itself, at docker-registry and the one inside crane."""

import contextlib
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from bed import images
from bed import registry as servers
from bed.images import Layer
from dockless.errors import DocklessError, SourceError
from dockless.model.registry_access import RegistryAccess
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.packing import asked
from dockless.oci.reference import Reference, Repository
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.referrers import ReferrersLists
from dockless.registry.throughput import ThroughputMeter
from dockless.registry.uploader import HttpUploader
from dockless.sources.archive import candidates
from dockless.sources.directory import Folder
from dockless.storage.blob_store import BlobStore
from dockless.storage.oci_layout import blob_path
from dockless.storage.staging import Staging
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from dockless.transport.rate_limit import RateLimiter
from dockless.usecases.mirror.blob_claims import SharedBlobs
from dockless.usecases.mirror.mounts import Mounts
from fakes.progress import FakeProgress


class CountingPace(RateLimiter):
    """Counts the bytes that may go."""

    def __init__(self) -> None:
        super().__init__(None)
        self.taken = 0

    def take(self, count: int, until: float | None = None) -> None:
        assert until is None
        self.taken += count


@pytest.fixture(params=["registry", "embedded_registry"])
def server(request: pytest.FixtureRequest) -> servers.Registry:
    found: servers.Registry = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def client(server: servers.Registry) -> RegistryClient:
    return RegistryClient(
        HttpClient(endpoint_of(server.host, RegistryAccess(), Path("/nonexistent")), {}),
        lambda: None,
    )


@pytest.fixture
def signed(layers: tuple[Layer, ...], tmp_path: Path) -> tuple[Content, ...]:
    """An index of two platforms, and a referrer of it."""
    layout = images.Layout(tmp_path / "layout")
    both = layout.platforms({"amd64": layers[:2], "arm64": layers[1:]})
    layout.top(both, layout.referrer(both, b"an SBOM"))
    files = Folder(layout.folder, "layout", FakeProgress())
    staging = Staging(BlobStore(tmp_path / "store"), tmp_path, asked("gzip"), 1)
    return tuple(each.open().content() for each in candidates(files, staging, None))


def writing(
    client: RegistryClient, rate_limiter: RateLimiter | None = None
) -> tuple[HttpUploader, Direct]:
    uploader = HttpUploader(client, rate_limiter or RateLimiter(None), ThroughputMeter())
    return uploader, Direct(client, uploader, partial(ReferrersLists, client))


def staged(content: Content, folder: Path, *lacking: Digest) -> StagedImage:
    """Return an image without these blobs."""
    blobs = {
        blob.digest: folder / "layout" / "blobs" / "sha256" / blob.digest.hex
        for blob in content.blobs
        if blob.digest not in lacking
    }
    return StagedImage(content=content, blobs=blobs, layout=lambda: folder / "no layout is read")


# the one inside crane mounts nothing, and has the blobs of all repositories in one place
MOUNTS = pytest.mark.parametrize("server", ["registry"], indirect=True)


@MOUNTS
def test_an_image_is_brought_and_lent_to_the_next_repository(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    one, two = (Repository.of(server.host, f"whole{name}/{tmp_path.name}") for name in ("", "2"))
    shared, rate_limiter = SharedBlobs(), CountingPace()
    claims, other = shared.claims(), shared.claims()
    uploader, writer = writing(client, rate_limiter)
    digests = [blob.digest for blob in image.blobs]
    task = FakeProgress().start("uploading", None)
    assert Mounts(one, uploader, claims).mount(digests) == {}
    writer.write(staged(image, tmp_path), one, task)
    claims.done(one, digests)
    size = sum(blob.size for blob in image.blobs)
    assert (task.done, rate_limiter.taken) == (size, size)
    assert all(client.manifest(one, digest) == data for digest, data in image.documents.items())
    assert Mounts(two, uploader, other).mount(digests) == dict.fromkeys(digests, True)
    writer.write(staged(image, tmp_path, *digests), two, task)
    assert client.existing_blobs(two, image.blobs).there == set(digests)
    assert rate_limiter.taken == size


def test_what_is_known_of_a_blob_is_not_asked_again(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    repository = Repository.of(server.host, f"known/{tmp_path.name}")
    task = FakeProgress().start("uploading", None)
    _, writer = writing(client)
    _, *others = (blob.digest for blob in image.blobs)
    known = replace(staged(image, tmp_path), missing=frozenset(others))
    with contextlib.suppress(DocklessError):  # one is not there, which crane's registry lets pass
        writer.write(known, repository, task)
    assert client.existing_blobs(repository, image.blobs).there == set(others)


@MOUNTS
def test_what_the_registry_refuses_is_an_error(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    repository = Repository.of(server.host, f"wrong/{tmp_path.name}")
    digest = image.blobs[0].digest
    wrong = staged(image, tmp_path)
    path = wrong.blobs[digest]
    path.write_bytes(path.read_bytes() + b"!")
    task = FakeProgress().start("uploading", None)
    with pytest.raises(DocklessError):
        writing(client)[1].write(wrong, repository, task)
    assert not client.existing_blobs(repository, image.blobs[:1]).there
    assert client.manifest(repository, image.root.digest) is None


def test_an_image_is_pulled_as_it_is(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    repository = Repository.of(server.host, f"pulled/{tmp_path.name}")
    task = FakeProgress().start("uploading", None)
    _, writer = writing(client)
    writer.write(staged(image, tmp_path), repository, task)
    writer.tag(image, repository, "v1")
    back = tmp_path / "back"
    writer.pull(Reference(repository, "v1"), back)
    for digest, data in image.documents.items():
        assert blob_path(back, digest).read_bytes() == data
    for blob in image.blobs:
        assert blob.digest.matches(blob_path(back, blob.digest).read_bytes())
    with pytest.raises(SourceError):
        writer.pull(Reference(repository, "v2"), tmp_path / "none")
