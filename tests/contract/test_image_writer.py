"""The suite of `ports.ImageWriter`: the fake, crane, skopeo and dockless itself, at a registry."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from bed import registry as servers
from bed import tools
from dockless.engines.authfile import authfile
from dockless.engines.memory import in_memory
from dockless.engines.program_writers import Access, Crane, EngineGrant, Skopeo
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Shell
from dockless.errors import DocklessError
from dockless.model.registry_access import RegistryAccess
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Image, ImageWriter, Registry, Written
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.referrers import ReferrersLists
from dockless.registry.throughput import ThroughputMeter
from dockless.registry.uploader import HttpUploader
from dockless.sources.directory import Folder
from dockless.sources.oci_layout import PackedImage, roots
from dockless.storage.oci_layout import write_layout
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from dockless.transport.rate_limit import RateLimiter
from fakes.image import FakeImage
from fakes.progress import FakeProgress, FakeTask
from fakes.registry import FakeRegistry
from fakes.writer import FakeWriter


@dataclass(frozen=True, slots=True)
class Bench:
    """A writer, and the registry that it writes to."""

    name: str
    writer: ImageWriter
    registry: Registry
    repository: Repository

    def write(self, image: StagedImage) -> Written:
        return self.writer.write(image, self.repository, FakeTask("uploading", None))


@pytest.fixture(params=["fake", "crane", "skopeo", "direct"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    name = f"contract/{tmp_path.name.lower().replace('_', '-')}"
    if request.param == "fake":
        fake = FakeRegistry()
        return Bench("fake", FakeWriter(fake), fake, Repository.of("registry.example.com", name))
    server: servers.Registry = request.getfixturevalue("registry")
    endpoint = endpoint_of(server.host, RegistryAccess(), Path("/nonexistent"))
    runner = Runner({"PATH": "/usr/bin:/bin"}, tmp_path / "home", server.host, Limits(), Shell())
    auth = partial(in_memory, authfile("crane", server.host, None))
    access = Access(endpoint, lambda: EngineGrant(auth, anonymous=True))
    writer: ImageWriter = Crane(tools.crane(), runner, access)
    if request.param == "skopeo":
        writer = Skopeo(Path("/usr/bin/skopeo"), runner, access, None)
    client = RegistryClient(HttpClient(endpoint, {}), lambda: None)
    repository = Repository.of(server.host, name)
    if request.param == "direct":
        uploader = HttpUploader(client, RateLimiter(None), ThroughputMeter())
        writer = Direct(client, uploader, partial(ReferrersLists, client))
    return Bench(request.param, writer, client, repository)


@pytest.fixture(params=["single", "multi_platform", "nested_index"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    if request.param == "single":
        return FakeImage(tmp_path / "blobs")
    folder = Folder(request.getfixturevalue(request.param), "layout", FakeProgress())
    return PackedImage(folder, roots(folder)[0])


def staged(image: Image, folder: Path, *digests: Digest) -> StagedImage:
    """Return an image with the files of these blobs, or of all."""
    content = image.content()
    blobs = image.paths(digests or [blob.digest for blob in content.blobs])
    layout = partial(_written, content, blobs, folder)
    return StagedImage(content=content, blobs=blobs, layout=layout)


def _written(content: Content, blobs: Mapping[Digest, Path], folder: Path) -> Path:
    return write_layout(Path(tempfile.mkdtemp(dir=folder)), content, blobs)


def test_a_push_brings_every_document_and_blob_and_no_tag(
    bench: Bench, image: Image, tmp_path: Path
) -> None:
    content = image.content()
    assert bench.write(staged(image, tmp_path)).writer == bench.name
    for digest, data in content.documents.items():
        assert bench.registry.manifest(bench.repository, digest) == data
    there = bench.registry.existing_blobs(bench.repository, content.blobs).there
    assert there == {blob.digest for blob in content.blobs}
    assert bench.registry.tag(bench.repository, "latest") is None


def test_a_tag_is_made_and_moved_to_what_was_pushed(
    bench: Bench, image: Image, tmp_path: Path
) -> None:
    other = FakeImage(tmp_path / "other", (b"another",))
    bench.write(staged(other, tmp_path))
    bench.write(staged(image, tmp_path))
    for content in (other.content(), image.content()):
        bench.writer.tag(content, bench.repository, "v1")
        assert bench.registry.tag(bench.repository, "v1") == content.root.digest
    assert bench.writer.tagger == bench.name


def test_a_blob_that_the_registry_has_need_not_be_in_the_layout(
    bench: Bench, tmp_path: Path
) -> None:
    first = FakeImage(tmp_path / "first", (b"base", b"app 1"))
    bench.write(staged(first, tmp_path))
    second = FakeImage(tmp_path / "second", (b"base", b"app 2"))
    config, _, app = second.content().blobs
    bench.write(staged(second, tmp_path, config.digest, app.digest))
    root = second.content().root.digest
    assert bench.registry.manifest(bench.repository, root) == second.content().documents[root]


def test_a_blob_that_nobody_has_is_an_error_and_no_manifest_arrives(
    bench: Bench, tmp_path: Path
) -> None:
    nowhere_else = f"only in {tmp_path}".encode()
    image = FakeImage(tmp_path / "blobs", (b"base", nowhere_else))
    content = image.content()
    config, base, _ = content.blobs
    with pytest.raises(DocklessError):
        bench.write(staged(image, tmp_path, config.digest, base.digest))
    assert bench.registry.manifest(bench.repository, content.root.digest) is None


def test_pushing_the_same_again_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    image = FakeImage(tmp_path / "blobs")
    bench.write(staged(image, tmp_path))
    bench.write(staged(image, tmp_path))
    root = image.content().root.digest
    assert bench.registry.manifest(bench.repository, root) is not None


def test_a_tag_cannot_be_moved_to_what_was_never_pushed(bench: Bench, tmp_path: Path) -> None:
    content = FakeImage(tmp_path / "blobs", (f"only in {tmp_path}".encode(),)).content()
    with pytest.raises(DocklessError):
        bench.writer.tag(content, bench.repository, "v1")
    assert bench.registry.tag(bench.repository, "v1") is None


@pytest.mark.parametrize("damage", [b"", b"!", b"other bytes"])
def test_a_blob_that_is_damaged_here_is_an_error_and_no_manifest_arrives(
    bench: Bench, tmp_path: Path, damage: bytes
) -> None:
    image = FakeImage(tmp_path / "blobs", (b"base", f"damaged in {tmp_path}".encode()))
    made = staged(image, tmp_path)
    app = image.content().blobs[-1]
    made.blobs[app.digest].write_bytes(damage)
    with pytest.raises(DocklessError):
        bench.write(made)
    assert bench.registry.manifest(bench.repository, image.content().root.digest) is None
    assert not bench.registry.existing_blobs(bench.repository, [app]).there


def test_what_is_said_to_be_missing_is_written_without_a_question(
    bench: Bench, tmp_path: Path
) -> None:
    image = FakeImage(tmp_path / "blobs", (b"base", f"missing in {tmp_path}".encode()))
    content = image.content()
    digests = frozenset(blob.digest for blob in content.blobs)
    bench.write(replace(staged(image, tmp_path), missing=digests))
    assert bench.registry.existing_blobs(bench.repository, content.blobs).there == digests
