"""The suite of `ports.Engine`: on the fake, crane, skopeo and dockless itself, at a registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bed import registry as servers
from bed import tools
from dockless.credentials.authfile import authfile
from dockless.credentials.memory import in_memory
from dockless.engines.adapters import Access, Crane, Entrance, Skopeo
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Shell
from dockless.layout.oci import write_layout
from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.endpoint import Trust
from dockless.model.errors import DocklessError
from dockless.model.reference import Repository
from dockless.ports import Engine, Image, Registry
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.http import Http, reach
from dockless.registry.links import Gauge
from dockless.registry.pace import Pace
from dockless.registry.referrers import ReferrersLists
from dockless.sources.folder import Folder
from dockless.sources.oci import PackedImage, roots
from fakes.engine import FakeEngine
from fakes.image import FakeImage
from fakes.progress import FakeProgress, FakeTask
from fakes.registry import FakeRegistry

LayOut = Callable[[Content, Mapping[Digest, Path]], Path]


@dataclass(frozen=True, slots=True)
class Bench:
    """An engine, and the registry that it writes to."""

    engine: Engine
    registry: Registry
    repository: Repository

    def push(self, layout: Path, content: Content) -> None:
        self.engine.push(layout, content, self.repository, FakeTask("uploading", None))


@pytest.fixture(params=["fake", "crane", "skopeo", "direct"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    name = f"contract/{tmp_path.name.lower().replace('_', '-')}"
    if request.param == "fake":
        fake = FakeRegistry()
        return Bench(FakeEngine(fake), fake, Repository.of("registry.example.com", name))
    server: servers.Registry = request.getfixturevalue("registry")
    endpoint = reach(server.host, insecure=False, trust=Trust())
    runner = Runner({"PATH": "/usr/bin:/bin"}, tmp_path / "home", server.host, Limits(), Shell())
    auth = partial(in_memory, authfile(server.host, None))
    access = Access(endpoint, lambda: Entrance(auth, anonymous=True))
    engine: Engine = Crane(tools.crane(), runner, access)
    if request.param == "skopeo":
        engine = Skopeo(Path("/usr/bin/skopeo"), runner, access, None)
    client = RegistryClient(Http(endpoint, {}), lambda: None)
    repository = Repository.of(server.host, name)
    if request.param == "direct":
        engine = Direct(client, repository, Pace(None), Gauge(), partial(ReferrersLists, client))
    return Bench(engine, client, repository)


@pytest.fixture
def lay_out(tmp_path: Path) -> LayOut:
    return partial(write_layout, tmp_path / "layout")


@pytest.fixture(params=["single", "multi_platform", "nested_index"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    if request.param == "single":
        return FakeImage(tmp_path / "blobs")
    folder = Folder(request.getfixturevalue(request.param), "layout", FakeProgress())
    return PackedImage(folder, roots(folder)[0], None)


def _all_paths(image: Image) -> Mapping[Digest, Path]:
    return image.paths([blob.digest for blob in image.content().blobs])


def test_a_push_brings_every_document_and_blob_and_no_tag(
    bench: Bench, lay_out: LayOut, image: Image
) -> None:
    content = image.content()
    bench.push(lay_out(content, _all_paths(image)), content)
    for digest, data in content.documents.items():
        assert bench.registry.manifest(bench.repository, digest) == data
    there = bench.registry.present(bench.repository, content.blobs).there
    assert there == {blob.digest for blob in content.blobs}
    assert bench.registry.tag(bench.repository, "latest") is None


def test_a_tag_is_made_and_moved_to_what_was_pushed(
    bench: Bench, lay_out: LayOut, image: Image, tmp_path: Path
) -> None:
    other = FakeImage(tmp_path / "other", (b"another",))
    write_other = partial(write_layout, tmp_path / "other-layout")
    bench.push(write_other(other.content(), _all_paths(other)), other.content())
    bench.push(lay_out(image.content(), _all_paths(image)), image.content())
    for content in (other.content(), image.content()):
        bench.engine.move(content, bench.repository, "v1")
        assert bench.registry.tag(bench.repository, "v1") == content.root.digest


def test_a_blob_that_the_registry_has_need_not_be_in_the_layout(
    bench: Bench, lay_out: LayOut, tmp_path: Path
) -> None:
    first = FakeImage(tmp_path / "first", (b"base", b"app 1"))
    bench.push(lay_out(first.content(), _all_paths(first)), first.content())
    second = FakeImage(tmp_path / "second", (b"base", b"app 2"))
    config, _, app = second.content().blobs
    paths = second.paths([config.digest, app.digest])
    bench.push(write_layout(tmp_path / "sparse", second.content(), paths), second.content())
    root = second.content().root.digest
    assert bench.registry.manifest(bench.repository, root) == second.content().documents[root]


def test_a_blob_that_nobody_has_is_an_error_and_no_manifest_arrives(
    bench: Bench, lay_out: LayOut, tmp_path: Path
) -> None:
    nowhere_else = f"only in {tmp_path}".encode()
    image = FakeImage(tmp_path / "blobs", (b"base", nowhere_else))
    content = image.content()
    config, base, _ = content.blobs
    layout = lay_out(content, image.paths([config.digest, base.digest]))
    with pytest.raises(DocklessError):
        bench.push(layout, content)
    assert bench.registry.manifest(bench.repository, content.root.digest) is None


def test_pushing_the_same_again_changes_nothing(
    bench: Bench, lay_out: LayOut, tmp_path: Path
) -> None:
    image = FakeImage(tmp_path / "blobs")
    layout = lay_out(image.content(), _all_paths(image))
    bench.push(layout, image.content())
    bench.push(layout, image.content())
    root = image.content().root.digest
    assert bench.registry.manifest(bench.repository, root) is not None


def test_a_tag_cannot_be_moved_to_what_was_never_pushed(bench: Bench, tmp_path: Path) -> None:
    content = FakeImage(tmp_path / "blobs", (f"only in {tmp_path}".encode(),)).content()
    with pytest.raises(DocklessError):
        bench.engine.move(content, bench.repository, "v1")
    assert bench.registry.tag(bench.repository, "v1") is None
