"""Lists of referrers: what is put into them, and what of them stays as it was."""

import json
from typing import Any

import pytest

from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, OCI_INDEX, OCI_MANIFEST
from dockless.registry.referrers_list import merged, missing, referrer_of

SUBJECT = Digest.of(b"an image")
OURS = {
    "mediaType": OCI_MANIFEST,
    "digest": str(Digest.of(b"ours")),
    "size": 4,
    "artifactType": "application/vnd.example.sbom",
    "annotations": {"a": "b"},
}
THEIRS = {
    "mediaType": OCI_MANIFEST,
    "digest": str(Digest.of(b"theirs")),
    "size": 6,
    "platform": {"os": "linux", "architecture": "amd64", "os.features": ["x"]},
    "org.example.unknown": [1, 2.5, None, {"\ud800": "é"}],
}


def index(*entries: object, **more: object) -> bytes:
    whole = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **more}
    return json.dumps(whole).encode()


def manifest(**more: object) -> bytes:
    blob = {"mediaType": "application/vnd.example.config", "digest": str(Digest.of(b"")), "size": 0}
    subject = {"mediaType": OCI_MANIFEST, "digest": str(SUBJECT), "size": 8}
    whole = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": []}
    return json.dumps({**whole, "subject": subject, **more}).encode()


@pytest.mark.parametrize(
    ("more", "listed"),
    [
        ({}, {"artifactType": "application/vnd.example.config"}),
        ({"artifactType": ""}, {"artifactType": "application/vnd.example.config"}),
        ({"artifactType": "a/b", "annotations": {}}, {"artifactType": "a/b"}),
        (
            {"artifactType": "a/b", "annotations": {"x": "é"}},
            {"artifactType": "a/b", "annotations": {"x": "é"}},
        ),
        ({"mediaType": OCI_INDEX, "manifests": []}, {}),
        ({"mediaType": OCI_INDEX, "manifests": [], "artifactType": "a/b"}, {"artifactType": "a/b"}),
    ],
)
def test_a_referrer_is_listed_with_its_type_and_annotations(
    more: dict[str, Any], listed: dict[str, Any]
) -> None:
    data = manifest(**more)
    found = referrer_of(data)
    assert found
    assert found.subject == SUBJECT
    described = {"digest": str(Digest.of(data)), "size": len(data)}
    media_type = more.get("mediaType", OCI_MANIFEST)
    assert found.descriptor == {"mediaType": media_type, **described, **listed}


def test_a_manifest_without_a_subject_is_not_listed() -> None:
    assert referrer_of(manifest(subject=None)) is None


def test_a_new_list_is_an_index_of_what_is_put_there() -> None:
    assert missing(None, (OURS,)) == (OURS,)
    made = merged(None, (OURS,))
    assert json.loads(made) == json.loads(index(OURS))
    assert missing(made, (OURS,)) == ()


def test_everything_else_in_a_list_stays_as_it_was() -> None:
    more = {"annotations": {"k": "v"}, "org.example.unknown": {"deep": [True, 10**30]}}
    made = merged(index(THEIRS, THEIRS, **more), (OURS,))
    assert json.loads(made) == json.loads(index(THEIRS, THEIRS, OURS, **more))


def test_an_entry_without_type_and_annotations_gets_them_and_keeps_the_rest() -> None:
    bare = {**{key: OURS[key] for key in ("mediaType", "digest", "size")}, "x": "y"}
    assert missing(index(bare), (OURS,)) == (OURS,)
    assert json.loads(merged(index(THEIRS, bare), (OURS,)))["manifests"] == [
        THEIRS,
        {**bare, "artifactType": OURS["artifactType"], "annotations": OURS["annotations"]},
    ]


@pytest.mark.parametrize("body", [index(), b'{"schemaVersion":2,"manifests":null}'])
def test_an_empty_list_is_a_list(body: bytes) -> None:
    assert json.loads(merged(body, (OURS,)))["manifests"] == [OURS]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "1e999"),
        (manifest(), "not an OCI index"),
        (index(mediaType="application/vnd.docker.distribution.manifest.list.v2+json"), "list.v2"),
        (index(mediaType=7), "'7'"),
        (index(manifests={"a": 1}), "not a list"),
        (index("sha256:0"), "descriptor is not a JSON object"),
        (index({**THEIRS, "digest": "sha256:0"}), "not a digest"),
        (index({**THEIRS, "size": -1}), "size is -1"),
        (b" " * (LONGEST_MANIFEST + 1), "more than 4194304 bytes"),
        (index(OURS, filler="x" * (LONGEST_MANIFEST - 600)), "would have"),
    ],
)
def test_what_is_no_list_cannot_be_added_to(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        merged(body, (OURS, {**THEIRS, "filler": "x" * 600}))
