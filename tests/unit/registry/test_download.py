import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX
from dockless.oci.reference import Reference, Repository
from dockless.registry import download
from fakes.registry import FakeRegistry

if TYPE_CHECKING:
    from dockless.registry.client import RegistryClient

REPOSITORY = Repository.of("registry.example.com", "team/shop")


def index(*children: Digest) -> bytes:
    listed = [{"mediaType": OCI_INDEX, "digest": str(each), "size": 1} for each in children]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()


@pytest.mark.parametrize("length", [4, 5, 50])
def test_a_registry_cannot_lead_on_without_an_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: int
) -> None:
    monkeypatch.setattr(download, "MOST_DOCUMENTS", 3)
    registry = FakeRegistry()
    manifests = registry.repositories[REPOSITORY].manifests
    root = Digest.of(b"")
    for _ in range(length):
        data = index(root, root)
        root = Digest.of(data)
        manifests[root] = data
    manifests[Digest.of(b"")] = index()
    client = cast("RegistryClient", registry)
    with pytest.raises(SourceError, match="more than 3 manifests"):
        download.download(client, Reference(REPOSITORY, digest=root), tmp_path)
    assert list(tmp_path.iterdir()) == []
