import json
from pathlib import Path

import pytest

from dockless.errors import PushError
from dockless.model.counts import number
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX
from dockless.oci.reference import Repository
from dockless.retry import RetryPolicy
from dockless.usecases.verify.read_back import complete, read_back
from fakes.image import FakeImage
from fakes.registry import FakeRegistry

REPOSITORY = Repository.of("registry.example.com", "team/shop")
PATIENCE = RetryPolicy(attempts=1, deadline=None, note=lambda _: None)


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


def test_an_image_comes_back_as_it_was_pushed(registry: FakeRegistry, tmp_path: Path) -> None:
    content = FakeImage(tmp_path).content()
    registry.hold(REPOSITORY, content)
    found = read_back(registry, REPOSITORY, content.root.digest, PATIENCE)
    assert found is not None
    assert found.documents == content.documents
    assert {blob.digest for blob in found.blobs} == {blob.digest for blob in content.blobs}
    assert found.image_id == content.image_id
    complete(registry, REPOSITORY, found, PATIENCE)


def test_an_index_leads_to_its_manifests(registry: FakeRegistry, tmp_path: Path) -> None:
    content = FakeImage(tmp_path).content()
    registry.hold(REPOSITORY, content)
    child = content.root.to_json()
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()
    root = Digest.of(index)
    registry.repositories[REPOSITORY].manifests[root] = index
    found = read_back(registry, REPOSITORY, root, PATIENCE)
    assert found is not None
    assert set(found.documents) == {root, content.root.digest}
    assert found.image_id is None
    del registry.repositories[REPOSITORY].manifests[content.root.digest]
    with pytest.raises(PushError, match=f"does not have the manifest {content.root.digest}"):
        read_back(registry, REPOSITORY, root, PATIENCE)


def test_what_is_not_there_is_nothing(registry: FakeRegistry) -> None:
    assert read_back(registry, REPOSITORY, Digest.of(b"absent"), PATIENCE) is None


def test_a_blob_that_is_missing_is_named(registry: FakeRegistry, tmp_path: Path) -> None:
    content = FakeImage(tmp_path).content()
    registry.hold(REPOSITORY, content)
    lost = content.blobs[-1].digest
    registry.repositories[REPOSITORY].blobs.remove(lost)
    with pytest.raises(PushError, match=f"does not have the blob {lost}"):
        complete(registry, REPOSITORY, content, PATIENCE)


@pytest.mark.parametrize(("place", "length"), [(0, 1), (1, 0), (-1, 10**9)])
def test_a_blob_of_another_length_is_named(
    registry: FakeRegistry, tmp_path: Path, place: int, length: int
) -> None:
    content = FakeImage(tmp_path).content()
    registry.hold(REPOSITORY, content)
    damaged = content.blobs[place]
    registry.repositories[REPOSITORY].lengths[damaged.digest] = length
    size = number(length, "byte")
    said = f"damaged copy of the blob {damaged.digest}.*: {size} in place of {damaged.size}"
    with pytest.raises(PushError, match=said):
        complete(registry, REPOSITORY, content, PATIENCE)


def _dag(registry: FakeRegistry, tmp_path: Path, times: int, depth: int) -> Digest:
    """Hold indexes, each of which lists the one below it so many times; return the uppermost."""
    content = FakeImage(tmp_path).content()
    registry.hold(REPOSITORY, content)
    child, root = content.root.to_json(), content.root.digest
    for _ in range(depth):
        listed = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child] * times}
        index = json.dumps(listed).encode()
        root = Digest.of(index)
        registry.repositories[REPOSITORY].manifests[root] = index
        child = {"mediaType": OCI_INDEX, "digest": str(root), "size": len(index)}
    return root


@pytest.mark.parametrize(("times", "depth"), [(12, 8), (2, 40), (500, 3)])
def test_each_manifest_is_read_back_once(
    registry: FakeRegistry, tmp_path: Path, times: int, depth: int
) -> None:
    root = _dag(registry, tmp_path, times, depth)
    found = read_back(registry, REPOSITORY, root, PATIENCE)
    assert found is not None
    assert len(found.documents) == depth + 1


def test_a_registry_cannot_lead_on_without_an_end(
    registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockless.usecases.verify.read_back.MOST_DOCUMENTS", 5)
    root = _dag(registry, tmp_path, 1, 5)
    with pytest.raises(PushError, match="more than 5 manifests"):
        read_back(registry, REPOSITORY, root, PATIENCE)
