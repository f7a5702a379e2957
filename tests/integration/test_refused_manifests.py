"""What registries really answer to a manifest that they do not take, in our words."""

from pathlib import Path

import pytest

from bed import registry as servers
from bed.referring import artifact, connect
from dockless.errors import (
    ContentRefusedError,
    DocklessError,
    ManifestRefusedError,
    NetworkError,
    PushError,
)
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST
from dockless.oci.reference import Repository
from dockless.registry.manifests import put_manifest

DATA = artifact(0)


def refused(host: str, name: str, data: bytes = DATA, kind: str = OCI_MANIFEST) -> DocklessError:
    with pytest.raises(DocklessError) as caught:
        put_manifest(connect(host), Repository.of(host, "refused/app"), name, data, kind)
    return caught.value


def test_a_manifest_without_its_blobs_may_pass(registry: servers.Registry) -> None:
    error = refused(registry.host, "v1")
    assert isinstance(error, NetworkError)
    assert "MANIFEST_BLOB_UNKNOWN" in error.what


def test_another_manifest_than_the_digest_says_is_an_error(registry: servers.Registry) -> None:
    error = refused(registry.host, str(Digest.of(b"another")))
    assert type(error) is ContentRefusedError
    assert "DIGEST_INVALID" in error.what


def test_what_the_registry_cannot_read_is_of_a_type_that_it_does_not_know(
    registry: servers.Registry,
) -> None:
    error = refused(registry.host, "v1", b'{"schemaVersion": 9}', "application/vnd.example+json")
    assert isinstance(error, ManifestRefusedError)
    assert "MANIFEST_INVALID" in error.what


def test_a_registry_that_takes_nothing_new_is_read_only(tmp_path: Path) -> None:
    with servers.docker_registry(tmp_path, readonly=True) as running:
        error = refused(running.host, "v1")
    assert type(error) is PushError
    assert "read-only" in error.remedy
