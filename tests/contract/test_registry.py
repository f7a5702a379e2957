"""The suite of `ports.Registry`: on the fake, docker-registry, and the registry inside crane."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed import images
from bed import registry as servers
from dockless.model.registry_access import RegistryAccess
from dockless.oci.content import Content, Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Registry
from dockless.registry.client import RegistryClient
from dockless.sources.directory import Folder
from dockless.sources.oci_layout import PackedImage, roots
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry

UNKNOWN = Digest.of(b"nobody has this")
UNKNOWN_BLOB = Descriptor(media_type="", digest=UNKNOWN, size=15)


@dataclass(frozen=True, slots=True)
class Stocked:
    """A registry that holds an index of two platforms under the tag `v1`."""

    registry: Registry
    repository: Repository
    content: Content


def _fake(repository: Repository, content: Content) -> Registry:
    fake = FakeRegistry()
    fake.hold(repository, content, "v1")
    return fake


@pytest.fixture(scope="module", params=["fake", "registry", "embedded_registry"])
def stocked(request: pytest.FixtureRequest, multi_platform: Path) -> Stocked:
    folder = Folder(multi_platform, "layout", FakeProgress())
    content = PackedImage(folder, roots(folder)[0]).content()
    if request.param == "fake":
        repository = Repository.of("registry.example.com", "contract/registry")
        return Stocked(_fake(repository, content), repository, content)
    server: servers.Registry = request.getfixturevalue(request.param)
    repository = Repository.of(server.host, "contract/registry")
    target = f"docker://{repository}:v1"
    images.skopeo_copy(f"oci:{multi_platform}:1", target, "--all", *server.skopeo_options("dest"))
    http = HttpClient(endpoint_of(server.host, RegistryAccess(), Path("/nonexistent")), {})
    return Stocked(RegistryClient(http, lambda: None), repository, content)


def test_a_tag_gives_the_digest_that_it_names(stocked: Stocked) -> None:
    found = stocked.registry.tag(stocked.repository, "v1")
    assert found == stocked.content.root.digest


def test_a_tag_that_is_not_there_gives_none(stocked: Stocked) -> None:
    assert stocked.registry.tag(stocked.repository, "v2") is None


def test_every_manifest_and_index_comes_back_byte_for_byte(stocked: Stocked) -> None:
    assert len(stocked.content.documents) == 3
    for digest, data in stocked.content.documents.items():
        assert stocked.registry.manifest(stocked.repository, digest) == data


def test_a_manifest_that_is_not_there_gives_none(stocked: Stocked) -> None:
    assert stocked.registry.manifest(stocked.repository, UNKNOWN) is None


def test_only_those_blobs_are_present_that_the_repository_has(stocked: Stocked) -> None:
    blobs = stocked.content.blobs
    found = stocked.registry.existing_blobs(stocked.repository, [UNKNOWN_BLOB, *blobs])
    assert found == Presence(frozenset(blob.digest for blob in blobs))


def test_no_question_gives_no_blob(stocked: Stocked) -> None:
    assert stocked.registry.existing_blobs(stocked.repository, []) == Presence()


@pytest.mark.parametrize(
    "question",
    [
        lambda registry, empty, _: registry.tag(empty, "v1"),
        lambda registry, empty, digest: registry.manifest(empty, digest),
        lambda registry, empty, digest: (
            registry.existing_blobs(empty, [Descriptor(media_type="", digest=digest, size=5)]).there
            or None
        ),
    ],
    ids=["tag", "manifest", "present"],
)
def test_a_repository_that_nobody_pushed_to_has_nothing(
    stocked: Stocked, question: Callable[[Registry, Repository, Digest], object]
) -> None:
    empty = Repository.of(stocked.repository.host, "contract/empty")
    assert question(stocked.registry, empty, stocked.content.root.digest) is None
