"""The suite of `ports.RegistryUploader`: the fake, and HTTP to docker-registry."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockless.errors import DocklessError
from dockless.model.registry_access import RegistryAccess
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_LAYER, OCI_MANIFEST, Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Registry, RegistryUploader
from dockless.registry.client import RegistryClient
from dockless.registry.throughput import ThroughputMeter
from dockless.registry.uploader import HttpUploader
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from dockless.transport.rate_limit import RateLimiter
from fakes.image import FakeImage
from fakes.progress import FakeTask
from fakes.registry import FakeRegistry
from fakes.uploader import FakeUploader


@dataclass(frozen=True, slots=True)
class Bench:
    """An uploader, the registry that it writes to, and two empty repositories there."""

    uploader: RegistryUploader
    registry: Registry
    repository: Repository
    other: Repository

    def has(self, data: bytes, repository: Repository | None = None) -> bool:
        blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))
        found = self.registry.existing_blobs(repository or self.repository, [blob])
        return blob.digest in found.there


@pytest.fixture(params=["fake", "http"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    name = f"uploader/{tmp_path.name.lower().replace('_', '-')}"
    if request.param == "fake":
        fake = FakeRegistry()
        one, two = (Repository.of("registry.example.com", each) for each in (name, f"{name}/2"))
        return Bench(FakeUploader(fake), fake, one, two)
    host: str = request.getfixturevalue("registry").host
    http = HttpClient(endpoint_of(host, RegistryAccess(), Path("/nonexistent")), {})
    client = RegistryClient(http, lambda: None)
    uploader = HttpUploader(client, RateLimiter(None), ThroughputMeter())
    one, two = (Repository.of(host, each) for each in (name, f"{name}/2"))
    return Bench(uploader, client, one, two)


def chunked(data: bytes, size: int = 1000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        yield b""


@pytest.fixture
def data() -> bytes:
    return os.urandom(300_000)


def upload(bench: Bench, data: bytes, folder: Path, digest: Digest | None = None) -> FakeTask:
    path, task = folder / "blob", FakeTask("uploading", len(data))
    path.write_bytes(data)
    bench.uploader.upload(bench.repository, digest or Digest.of(data), path, task)
    return task


@pytest.mark.parametrize("data", [b"", b"x", b"layer" * 100_000])
def test_a_file_becomes_a_blob_and_its_bytes_are_counted(
    bench: Bench, data: bytes, tmp_path: Path
) -> None:
    task = upload(bench, data, tmp_path)
    assert bench.has(data)
    assert task.done == len(data)


def test_a_file_with_another_digest_is_an_error(bench: Bench, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DocklessError):
        upload(bench, data + b"!", tmp_path, Digest.of(data))
    assert not bench.has(data)
    assert not bench.has(data + b"!")


@pytest.mark.parametrize("knows_size", [True, False])
def test_a_growing_blob_is_nothing_until_it_is_committed(
    bench: Bench, data: bytes, *, knows_size: bool
) -> None:
    size = len(data) if knows_size else None
    session = bench.uploader.stream(bench.repository, chunked(data), size)
    assert not bench.has(data)
    assert session.size == len(data)
    bench.uploader.commit(session, Digest.of(data))
    assert bench.has(data)


def test_a_session_with_another_digest_is_an_error(bench: Bench, data: bytes) -> None:
    session = bench.uploader.stream(bench.repository, chunked(data))
    with pytest.raises(DocklessError):
        bench.uploader.commit(session, Digest.of(data + b"!"))
    assert not bench.has(data)


def test_a_session_that_is_cancelled_cannot_be_committed(bench: Bench, data: bytes) -> None:
    session = bench.uploader.stream(bench.repository, chunked(data))
    bench.uploader.cancel(session)
    with pytest.raises(DocklessError):
        bench.uploader.commit(session, Digest.of(data))
    assert not bench.has(data)


class BrokenSourceError(Exception):
    """What a source of chunks raises."""


@pytest.mark.parametrize("after", [0, 1, 100])
def test_what_the_chunks_raise_is_raised(bench: Bench, data: bytes, after: int) -> None:
    def chunks() -> Iterable[bytes]:
        for number, chunk in enumerate(chunked(data)):
            if number == after:
                raise BrokenSourceError
            yield chunk

    with pytest.raises(BrokenSourceError):
        bench.uploader.stream(bench.repository, chunks())
    assert not bench.has(data)


def test_a_blob_is_mounted_from_where_it_is(bench: Bench, data: bytes, tmp_path: Path) -> None:
    upload(bench, data, tmp_path)
    assert not bench.has(data, bench.other)
    assert bench.uploader.mount(bench.other, Digest.of(data), bench.repository)
    assert bench.has(data, bench.other)


def test_a_blob_that_is_not_there_is_not_mounted_and_no_error(bench: Bench, data: bytes) -> None:
    assert not bench.uploader.mount(bench.other, Digest.of(data), bench.repository)
    assert not bench.has(data, bench.other)


def test_a_manifest_is_put_under_its_digest_and_tags(bench: Bench, tmp_path: Path) -> None:
    image = FakeImage(tmp_path / "blobs")
    content, put = image.content(), bench.uploader.put_manifest
    for digest, path in image.paths([blob.digest for blob in content.blobs]).items():
        bench.uploader.upload(bench.repository, digest, path, FakeTask("uploading", None))
    root = content.root
    manifest = content.documents[root.digest]
    for name in (str(root.digest), "v1", "v2"):
        assert not put(bench.repository, name, manifest, root.media_type), "it has no subject"
    assert bench.registry.manifest(bench.repository, root.digest) == manifest
    assert {bench.registry.tag(bench.repository, tag) for tag in ("v1", "v2")} == {root.digest}


@pytest.mark.parametrize("name", ["", "v1"])
def test_a_manifest_whose_blobs_are_missing_is_an_error(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    content = FakeImage(tmp_path / "blobs", (os.urandom(10),)).content()
    root = content.root
    with pytest.raises(DocklessError):
        bench.uploader.put_manifest(
            bench.repository, name or str(root.digest), content.documents[root.digest], OCI_MANIFEST
        )
    assert bench.registry.manifest(bench.repository, root.digest) is None
    assert bench.registry.tag(bench.repository, "v1") is None
