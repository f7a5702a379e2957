"""Whole images ahead of the engine, at docker-registry and the one inside crane."""

from pathlib import Path

import pytest

from bed import images
from bed import registry as servers
from bed.images import Layer
from dockless.layout.staging import Staging
from dockless.layout.store import BlobStore
from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.endpoint import Trust
from dockless.model.packing import asked
from dockless.model.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.http import Http, reach
from dockless.registry.links import Gauge
from dockless.registry.pace import Pace
from dockless.registry.shared import SharedBlobs
from dockless.registry.whole import WholeImages
from dockless.sources.archive import candidates
from dockless.sources.folder import Folder
from fakes.progress import FakeProgress


class CountingPace(Pace):
    """Counts the bytes that may go."""

    def __init__(self) -> None:
        super().__init__(None)
        self.taken = 0

    def take(self, count: int) -> None:
        self.taken += count


@pytest.fixture(params=["registry", "embedded_registry"])
def server(request: pytest.FixtureRequest) -> servers.Registry:
    found: servers.Registry = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def client(server: servers.Registry) -> RegistryClient:
    return RegistryClient(Http(reach(server.host, insecure=False, trust=Trust()), {}), lambda: None)


@pytest.fixture
def signed(layers: tuple[Layer, ...], tmp_path: Path) -> tuple[Content, ...]:
    """An index of two platforms, and a referrer of it."""
    layout = images.Layout(tmp_path / "layout")
    both = layout.platforms({"amd64": layers[:2], "arm64": layers[1:]})
    layout.top(both, layout.referrer(both, b"an SBOM"))
    files = Folder(layout.folder, "layout", FakeProgress())
    staging = Staging(BlobStore(tmp_path / "store"), tmp_path, asked("gzip"), 1)
    return tuple(each.open().content() for each in candidates(files, staging, None))


def blobs_of(content: Content, folder: Path) -> dict[Digest, Path]:
    return {
        blob.digest: folder / "layout" / "blobs" / "sha256" / blob.digest.hex
        for blob in content.blobs
    }


# the one inside crane mounts nothing, and has the blobs of all repositories in one place
MOUNTS = pytest.mark.parametrize("server", ["registry"], indirect=True)


@MOUNTS
def test_an_image_is_brought_and_lent_to_the_next_repository(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    one, two = (Repository.of(server.host, f"whole{name}/{tmp_path.name}") for name in ("", "2"))
    shared, pace = SharedBlobs(), CountingPace()
    sender, other = shared.sender(), shared.sender()
    ahead = WholeImages(client, one, sender, Direct(client, one, pace, Gauge()))
    digests = [blob.digest for blob in image.blobs]
    task = FakeProgress().start("uploading", None)
    assert ahead.borrow(digests) == {}
    assert ahead.bring(image, blobs_of(image, tmp_path), task)
    sender.done(one, digests)
    size = sum(blob.size for blob in image.blobs)
    assert (task.done, pace.taken) == (size, size)
    assert all(client.manifest(one, digest) == data for digest, data in image.documents.items())
    then = WholeImages(client, two, other, Direct(client, two, pace, Gauge()))
    assert then.borrow(digests) == dict.fromkeys(digests, True)
    assert then.bring(image, {}, task)
    assert client.present(two, digests) == set(digests)
    assert pace.taken == size


def test_a_referrer_is_left_to_the_engine_where_nobody_lists_it(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    _, referrer = signed
    repository = Repository.of(server.host, f"refer/{tmp_path.name}")
    ahead = WholeImages(
        client, repository, SharedBlobs().sender(), Direct(client, repository, Pace(None), Gauge())
    )
    task = FakeProgress().start("uploading", None)
    brought = ahead.bring(referrer, blobs_of(referrer, tmp_path), task)
    assert brought == client.lists_referrers(repository)
    assert bool(client.manifest(repository, referrer.root.digest)) == brought


@MOUNTS
def test_what_the_registry_refuses_is_left_to_the_engine(
    server: servers.Registry, client: RegistryClient, signed: tuple[Content, ...], tmp_path: Path
) -> None:
    image, _ = signed
    repository = Repository.of(server.host, f"wrong/{tmp_path.name}")
    ahead = WholeImages(
        client, repository, SharedBlobs().sender(), Direct(client, repository, Pace(None), Gauge())
    )
    files = blobs_of(image, tmp_path)
    digest = image.blobs[0].digest
    wrong = tmp_path / "wrong"
    wrong.write_bytes(files[digest].read_bytes() + b"!")
    task = FakeProgress().start("uploading", None)
    assert not ahead.bring(image, files | {digest: wrong}, task)
    assert not client.present(repository, [digest])
    assert client.manifest(repository, image.root.digest) is None
