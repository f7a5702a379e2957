import json
from collections.abc import Mapping
from typing import Any

import pytest

from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.docker_manifest import NoDockerFormError, docker_form
from dockless.oci.manifest import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    compact_json,
    parse_descriptor,
    parse_document,
)

IN_TOTO = "application/vnd.in-toto+json"


def described(media_type: str, name: str, **more: object) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(name.encode())), "size": 7} | more


def manifest(layers: list[dict[str, Any]], config: str = OCI_CONFIG, **more: object) -> bytes:
    members = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    return compact_json(members | {"config": described(config, "config"), "layers": layers} | more)


def content(*documents: bytes) -> Content:
    """Return the content of these documents, the last of them being its root."""
    root = documents[-1]
    blobs: dict[Digest, Descriptor] = {}
    for data in documents:
        members = json.loads(data)
        for entry in (*members.get("layers", ()), *filter(None, [members.get("config")])):
            found = parse_descriptor(entry)
            blobs[found.digest] = found
    return Content(
        root=Descriptor(
            media_type=parse_document(root).media_type, digest=Digest.of(root), size=len(root)
        ),
        documents={Digest.of(data): data for data in documents},
        blobs=tuple(blobs.values()),
        image_id=None,
        platforms=(),
    )


def listing(*entries: Mapping[str, object], media_type: str = OCI_INDEX) -> bytes:
    return compact_json({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})


def entry(data: bytes, **more: object) -> dict[str, object]:
    kind = parse_document(data).media_type
    return {"mediaType": kind, "digest": str(Digest.of(data)), "size": len(data)} | more


@pytest.mark.parametrize(
    ("oci", "docker"),
    [
        (OCI_LAYER, DOCKER_LAYER),
        (f"{OCI_LAYER}+gzip", f"{DOCKER_LAYER}.gzip"),
        (
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ),
    ],
)
def test_every_type_of_an_image_has_its_counterpart(oci: str, docker: str) -> None:
    before = content(manifest([described(oci, "layer", urls=["https://example.com/l"])]))
    after = docker_form(before)
    members = json.loads(after.documents[after.root.digest])
    assert members == {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": described(DOCKER_CONFIG, "config"),
        "layers": [described(docker, "layer", urls=["https://example.com/l"])],
    }
    assert {blob.media_type for blob in after.blobs} == {DOCKER_CONFIG, docker}
    assert [blob.digest for blob in after.blobs] == [blob.digest for blob in before.blobs]


def test_annotations_are_left_out_as_docker_has_none() -> None:
    before = content(manifest([], annotations={"a": "b"}))
    after = docker_form(before)
    assert "annotations" not in json.loads(after.documents[after.root.digest])


def test_an_index_lists_what_its_manifests_became() -> None:
    arm, amd = (manifest([described(OCI_LAYER, name)]) for name in ("arm", "amd"))
    platforms = [
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
        {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.1"},
    ]
    top = listing(entry(arm, platform=platforms[0]), entry(amd, platform=platforms[1]))
    after = docker_form(content(arm, amd, top))
    members = json.loads(after.documents[after.root.digest])
    assert members["mediaType"] == DOCKER_INDEX
    assert [each["platform"] for each in members["manifests"]] == platforms
    for each in members["manifests"]:
        child = after.documents[Digest.parse(each["digest"])]
        assert parse_document(child).media_type == DOCKER_MANIFEST
        assert len(child) == each["size"]
    assert set(after.documents) == set(map(Digest.of, after.documents.values()))


def test_what_is_dockers_already_stays_to_the_byte() -> None:
    image = compact_json(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": described(DOCKER_CONFIG, "config"),
            "layers": [described(f"{DOCKER_LAYER}.gzip", "layer")],
        }
    )
    top = listing(entry(image), media_type=DOCKER_INDEX)
    assert docker_form(content(image)) == content(image)
    assert docker_form(content(image, top)) == content(image, top)


def _nested() -> Content:
    image = manifest([])
    inner = listing(entry(image))
    return content(image, inner, listing(entry(inner)))


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        (content(manifest([described(f"{OCI_LAYER}+zstd", "layer")])), "--compression gzip"),
        (content(manifest([described(IN_TOTO, "layer")])), "--platform"),
        (content(manifest([], config="application/vnd.cncf.helm.config.v1+json")), "OCI manifests"),
        (content(manifest([], subject=described(OCI_MANIFEST, "x"))), "--no-referrers"),
        (_nested(), "--platform"),
    ],
)
def test_what_docker_has_no_type_for_is_an_error_with_a_way_out(
    image: Content, remedy: str
) -> None:
    with pytest.raises(NoDockerFormError) as caught:
        docker_form(image)
    assert remedy in caught.value.remedy
