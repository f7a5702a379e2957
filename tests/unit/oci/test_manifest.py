import json
from typing import Any

import pytest

from dockless.oci import manifest
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    Config,
    Descriptor,
    Index,
    Manifest,
    compact_json,
    image_manifest,
    layer_compression,
    layer_media_type,
    parse_config,
    parse_descriptor,
    parse_document,
)
from dockless.oci.platform import Platform

DIGEST = Digest.of(b"data")
ENTRY: dict[str, Any] = {"mediaType": "x/y", "digest": str(DIGEST), "size": 4}


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        ("application/vnd.oci.image.layer.v1.tar", "none"),
        ("application/vnd.oci.image.layer.v1.tar+gzip", "gzip"),
        ("application/vnd.oci.image.layer.v1.tar+zstd", "zstd"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.diff.tar", "none"),
        ("application/vnd.oci.image.config.v1+json", None),
        ("", None),
    ],
)
def test_a_layers_media_type_tells_its_compression(
    media_type: str, compression: str | None
) -> None:
    assert layer_compression(media_type) == compression


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_a_compression_has_a_media_type(compression: str) -> None:
    assert layer_compression(layer_media_type(compression)) == compression


def test_a_descriptor_is_read_with_all_that_matters() -> None:
    entry = ENTRY | {
        "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
        "urls": ["https://example.com/layer"],
    }
    found = parse_descriptor(entry)
    assert found == Descriptor(
        media_type="x/y",
        digest=DIGEST,
        size=4,
        platform=Platform("linux", "arm", "v7"),
        annotations=(("org.opencontainers.image.ref.name", "v1"),),
        urls=("https://example.com/layer",),
    )
    assert found.annotation("org.opencontainers.image.ref.name") == "v1"
    assert found.annotation("absent") == ""


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        ENTRY | {"size": -1},
        ENTRY | {"size": "4"},
        ENTRY | {"size": True},
        ENTRY | {"size": 4.0},
        ENTRY | {"digest": "sha256:../x"},
        ENTRY | {"digest": None},
        ENTRY | {"mediaType": 7},
        ENTRY | {"annotations": ["a"]},
    ],
)
def test_a_descriptor_of_another_shape_is_refused(entry: object) -> None:
    with pytest.raises(ValueError, match=r"descriptor|digest"):
        parse_descriptor(entry)


@pytest.mark.parametrize("media_type", ["", *sorted(manifest.MANIFESTS)])
def test_a_manifest_is_read(media_type: str) -> None:
    members = {"mediaType": media_type, "config": ENTRY, "layers": [ENTRY]}
    found = parse_document(json.dumps(members).encode())
    assert isinstance(found, Manifest)
    assert found.media_type == (media_type or manifest.OCI_MANIFEST)
    assert found.config == found.layers[0] == Descriptor(media_type="x/y", digest=DIGEST, size=4)


@pytest.mark.parametrize("media_type", sorted(manifest.MANIFESTS))
@pytest.mark.parametrize("layers", [{}, {"layers": None}, {"layers": []}])
def test_a_manifest_may_have_no_layers(media_type: str, layers: dict[str, object]) -> None:
    found = parse_document(
        json.dumps({"mediaType": media_type, "config": ENTRY, **layers}).encode()
    )
    assert isinstance(found, Manifest)
    assert found.layers == ()
    both = {"mediaType": media_type, "config": ENTRY, "manifests": [ENTRY]}
    with pytest.raises(ValueError, match="layers is not a list"):
        parse_document(json.dumps(both).encode())


@pytest.mark.parametrize("media_type", ["", *sorted(manifest.INDEXES)])
def test_an_index_is_read(media_type: str) -> None:
    found = parse_document(json.dumps({"mediaType": media_type, "manifests": [ENTRY]}).encode())
    assert isinstance(found, Index)
    assert found.manifests == (Descriptor(media_type="x/y", digest=DIGEST, size=4),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"mediaType": 7}',
        b'{"mediaType": "text/html", "layers": []}',
        b'{"layers": []}',
        b'{"layers": {}, "config": {}}',
        b'{"manifests": 7}',
        b'{"schemaVersion": 1, "fsLayers": []}',
        b'{"schemaVersion": 1, "manifests": []}',
        b'{"schemaVersion": "2", "manifests": []}',
        b'{"schemaVersion": 2.0, "manifests": []}',
        b'{"schemaVersion": null, "manifests": []}',
    ],
)
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_document(data)


def test_a_config_gives_platform_and_diff_ids() -> None:
    data = {"os": "linux", "architecture": "arm", "variant": "v7"}
    rootfs = {"rootfs": {"diff_ids": [str(DIGEST)]}}
    found = parse_config(json.dumps(data | rootfs).encode())
    assert found == Config(Platform("linux", "arm", "v7"), (DIGEST,))


@pytest.mark.parametrize("diff_ids", ["null", "[]"])
def test_an_image_may_have_no_layers(diff_ids: str) -> None:
    found = parse_config(f'{{"rootfs": {{"diff_ids": {diff_ids}}}}}'.encode())
    assert found == Config(Platform("linux", "unknown"), ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"rootfs": []}',
        b'{"rootfs": {"diff_ids": {"a": 1}}}',
        b'{"rootfs": {"diff_ids": [7]}}',
        b'{"rootfs": {"diff_ids": ["sha256:1"]}}',
    ],
)
def test_what_is_no_config_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_config(data)


def test_the_manifest_that_is_made_is_always_the_same() -> None:
    config = Descriptor(media_type=manifest.OCI_CONFIG, digest=DIGEST, size=4)
    layer = Descriptor(media_type=layer_media_type("gzip"), digest=DIGEST, size=4)
    made = image_manifest(config, (layer,))
    assert made == (
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        b'"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%b","size":4},'
        b'"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%b",'
        b'"size":4}]}' % (str(DIGEST).encode(), str(DIGEST).encode())
    )
    assert parse_document(made) == Manifest(
        media_type=manifest.OCI_MANIFEST, config=config, layers=(layer,)
    )


def test_json_is_compact_and_keeps_text_as_it_is() -> None:
    assert compact_json({"b": ["é", 1], "a": None}) == '{"b":["é",1],"a":null}'.encode()
