"""Layers that go ahead of the engine, on docker-registry and on the registry inside crane."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import registry as servers
from bed.failures import until
from dockless.model.registry_access import RegistryAccess
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_LAYER, Descriptor
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.throughput import ThroughputMeter
from dockless.registry.uploader import HttpUploader
from dockless.storage.growing import GrowingBlob
from dockless.storage.streams import BlobDraft
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from dockless.transport.rate_limit import RateLimiter
from dockless.usecases.push.streaming import EarlyLimits, StreamedUploads
from fakes.progress import FakeProgress


@pytest.fixture(params=["registry", "embedded_registry"])
def server(request: pytest.FixtureRequest) -> servers.Registry:
    found: servers.Registry = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def repository(server: servers.Registry, request: pytest.FixtureRequest) -> Repository:
    return Repository.of(server.host, f"early/{abs(hash(request.node.name)):x}")


@pytest.fixture
def client(server: servers.Registry) -> RegistryClient:
    return RegistryClient(
        HttpClient(endpoint_of(server.host, RegistryAccess(), Path("/nonexistent")), {}),
        lambda: None,
    )


@pytest.fixture
def blob(tmp_path: Path, repository: Repository) -> tuple[Descriptor, Path]:
    data = str(repository).encode() * 50_000
    path = tmp_path / "blob"
    path.write_bytes(data)
    return Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data)), path


def streamed(client: RegistryClient, repository: Repository) -> StreamedUploads:
    uploader = HttpUploader(client, RateLimiter(None), ThroughputMeter())
    return StreamedUploads(repository, client, uploader, EarlyLimits())


def test_what_is_committed_is_there_and_was_counted(
    client: RegistryClient, repository: Repository, blob: tuple[Descriptor, Path]
) -> None:
    progress = FakeProgress()
    task = progress.start("uploading", blob[0].size)
    with streamed(client, repository) as early:
        early.offer(*blob)
        assert early.upload({blob[0].digest: blob[1]}, task) == {blob[0].digest}
    assert client.existing_blobs(repository, [blob[0]]).there == {blob[0].digest}
    assert task.done == blob[0].size


def test_what_is_not_committed_is_nothing(
    client: RegistryClient, repository: Repository, blob: tuple[Descriptor, Path]
) -> None:
    with streamed(client, repository) as early:
        early.offer(*blob)
    assert not client.existing_blobs(repository, [blob[0]]).there


def test_what_does_not_belong_to_the_image_is_not_committed(
    client: RegistryClient, repository: Repository, blob: tuple[Descriptor, Path]
) -> None:
    with streamed(client, repository) as early:
        early.offer(*blob)
        early.upload({}, FakeProgress().start("uploading", None))
    assert not client.existing_blobs(repository, [blob[0]]).there


def test_what_the_registry_has_is_not_sent_again(
    client: RegistryClient, repository: Repository, blob: tuple[Descriptor, Path]
) -> None:
    with streamed(client, repository) as first:
        first.offer(*blob)
        first.upload({blob[0].digest: blob[1]}, FakeProgress().start("uploading", None))
    task = FakeProgress().start("uploading", None)
    with streamed(client, repository) as second:
        second.offer(*blob)
        second.upload({blob[0].digest: blob[1]}, task)
    assert task.done == 0


def test_what_is_known_of_a_blob_is_not_asked_again(
    client: RegistryClient, repository: Repository, blob: tuple[Descriptor, Path]
) -> None:
    task = FakeProgress().start("uploading", None)
    with streamed(client, repository) as early:
        early.mark_present({blob[0].digest: True})
        early.offer(*blob)
        early.upload({blob[0].digest: blob[1]}, task)
    assert task.done == 0, "it was taken at its word"


def test_a_refusal_is_left_to_the_writer(locked_registry: servers.Registry, tmp_path: Path) -> None:
    access = RegistryAccess(ca_file=locked_registry.ca_file)
    http = HttpClient(endpoint_of(locked_registry.host, access, tmp_path), {})
    path = tmp_path / "blob"
    path.write_bytes(b"layer")
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(b"layer"), size=5)
    target = Repository.of(locked_registry.host, "early/refused")
    with streamed(RegistryClient(http, lambda: None), target) as early:
        early.offer(blob, path)
        assert not early.upload({blob.digest: path}, FakeProgress().start("uploading", None))


class Grown:
    """A blob that is written in two halves."""

    def __init__(self, folder: Path, data: bytes) -> None:
        self.file = BlobDraft(folder)
        self.path = self.file.path
        self._halves = (data[: len(data) // 2], data[len(data) // 2 :])
        self.blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))
        self.growing = GrowingBlob(self.file, self.path)

    def write(self) -> None:
        """Write the first half."""
        self.growing.write(self._halves[0])

    def finish(self) -> None:
        """Write the other half and say what it is, at one moment for those who read it."""
        with self.growing._news:
            self.growing.write(self._halves[1])
            self.growing.finish(self.blob)


@pytest.fixture
def grown(tmp_path: Path, blob: tuple[Descriptor, Path]) -> Iterator[Grown]:
    made = Grown(tmp_path, blob[1].read_bytes())
    with contextlib.closing(made.file):
        yield made


def test_a_blob_is_sent_while_it_is_written(
    client: RegistryClient, repository: Repository, grown: Grown
) -> None:
    task = FakeProgress().start("uploading", None)
    with streamed(client, repository) as early:
        early.follow(grown.growing)
        grown.write()
        until(lambda: early.sent > 0)
        grown.finish()
        early.upload({grown.blob.digest: grown.path}, task)
    assert client.existing_blobs(repository, [grown.blob]).there == {grown.blob.digest}
    assert task.done == grown.blob.size


def test_a_blob_that_is_given_up_is_nothing(
    client: RegistryClient, repository: Repository, grown: Grown
) -> None:
    with streamed(client, repository) as early:
        with grown.growing:
            early.follow(grown.growing)
            grown.write()
        early.upload({grown.blob.digest: grown.path}, FakeProgress().start("x", None))
    assert not client.existing_blobs(repository, [grown.blob]).there


def test_what_the_registry_has_is_not_sent_to_its_end(
    client: RegistryClient, repository: Repository, grown: Grown, blob: tuple[Descriptor, Path]
) -> None:
    with streamed(client, repository) as first:
        first.offer(*blob)
        first.upload({blob[0].digest: blob[1]}, FakeProgress().start("x", None))
    with streamed(client, repository) as second:
        second.follow(grown.growing)
        grown.write()
        until(lambda: second.sent == blob[0].size // 2)
        grown.finish()
        until(lambda: second.mount([blob[0].digest]) == {blob[0].digest: True})
        assert second.sent < blob[0].size
