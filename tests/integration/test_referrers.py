"""Lists of referrers at registries that keep none: what many processes put there is all in it."""

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bed import referring
from bed import registry as servers
from bed.referring import ARTIFACT_TYPE, EMPTY, artifact, connect
from dockless.errors import NetworkError, PushError
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX, OCI_MANIFEST
from dockless.oci.reference import Repository
from dockless.registry.manifests import put_manifest
from dockless.registry.referrers import ReferrersLists

SUBJECT = artifact(0)
TAG = f"sha256-{Digest.of(SUBJECT).hex}"


@pytest.fixture(params=["registry", "embedded_registry"])
def repository(request: pytest.FixtureRequest) -> Repository:
    """A repository with a subject in it, at a registry that keeps no lists."""
    server: servers.Registry = request.getfixturevalue(request.param)
    repository = Repository.of(server.host, f"referrers/{abs(hash(request.node.name))}")
    client = connect(server.host)
    begun = client.request("POST", repository, "blobs/uploads/")
    location = begun.headers["Location"]
    joint = "&" if "?" in location else "?"
    url = f"{location}{joint}digest={Digest.of(EMPTY)}"
    headers = {"Content-Type": "application/octet-stream"}
    assert client.request("PUT", repository, url, headers, EMPTY).status == 201
    put_manifest(client, repository, str(Digest.of(SUBJECT)), SUBJECT, OCI_MANIFEST)
    return repository


def listed(repository: Repository) -> list[dict[str, Any]]:
    url = f"http://{repository.host}/v2/{repository.path}"
    answer = urllib3.request("GET", f"{url}/referrers/{Digest.of(SUBJECT)}")
    assert answer.status == 404
    answer = urllib3.request("GET", f"{url}/manifests/{TAG}", headers={"Accept": OCI_INDEX})
    assert answer.headers["Content-Type"] == OCI_INDEX
    entries = answer.json()["manifests"]
    assert isinstance(entries, list)
    return entries


@pytest.mark.sampled(7)
@pytest.mark.parametrize("locked", [False, True])
def test_what_eight_processes_put_at_once_is_all_there(
    repository: Repository, tmp_path: Path, *, locked: bool
) -> None:
    referring.start(repository, [5] * 8, tmp_path if locked else None)
    found = listed(repository)
    numbers = sorted(int(each["annotations"]["org.example.number"]) for each in found)
    assert numbers == list(range(1, 41))
    assert {each["artifactType"] for each in found} == {ARTIFACT_TYPE}
    about = connect(repository.host).referrers(repository, Digest.of(SUBJECT), print)
    assert {each.digest for each in about} == {
        Digest.of(artifact(number, SUBJECT)) for number in numbers
    }


def test_what_is_at_the_tag_and_is_no_list_stays_there(repository: Repository) -> None:
    client = connect(repository.host)
    put_manifest(client, repository, TAG, SUBJECT, OCI_MANIFEST)
    data = artifact(1, SUBJECT)
    put_manifest(client, repository, str(Digest.of(data)), data, OCI_MANIFEST)
    with pytest.raises(PushError, match="is not a list of referrers"):
        ReferrersLists(client).add(repository, data)
    assert client.at_tag(repository, TAG) == SUBJECT


def test_a_manifest_whose_blobs_are_missing_may_be_put_again(repository: Repository) -> None:
    absent = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(b"nowhere")), "size": 7}
    members = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [absent]}
    index = json.dumps(members).encode()
    client = connect(repository.host)
    with pytest.raises(NetworkError, match="does not find the content of") as caught:
        put_manifest(client, repository, str(Digest.of(index)), index, OCI_INDEX)
    assert caught.value.passing
