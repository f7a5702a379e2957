from pathlib import Path

import pytest

from dockless.oci.content import Content, single
from dockless.oci.digest import Digest
from dockless.oci.docker_manifest import NoDockerFormError, docker_form
from dockless.oci.manifest import (
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    compact_json,
    parse_document,
)
from dockless.oci.platform import Platform
from fakes.image import FakeImage


@pytest.fixture
def image(tmp_path: Path) -> Content:
    return FakeImage(tmp_path).content()


def index(*children: Descriptor) -> tuple[Descriptor, bytes]:
    entries = [child.to_json() for child in children]
    data = compact_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
    return Descriptor(media_type=OCI_INDEX, digest=Digest.of(data), size=len(data)), data


def test_one_image_has_its_config_first_and_its_platform(image: Content) -> None:
    assert image.image_id == image.blobs[0].digest
    assert image.configs() == {image.blobs[0].digest}
    assert image.platforms == (Platform("linux", "amd64"),)
    assert image.children_first() == (image.root.digest,)


def test_a_layer_that_is_used_twice_is_one_blob(tmp_path: Path) -> None:
    twice = FakeImage(tmp_path, (b"same", b"same")).content()
    assert len(twice.blobs) == 2


def test_an_index_is_no_single_image(image: Content) -> None:
    root, data = index(image.root)
    with pytest.raises(ValueError, match="an index, not a manifest"):
        single(root, data, b"{}")


def test_the_config_of_an_artifact_is_not_read() -> None:
    config = Descriptor(media_type="application/vnd.example+json", digest=Digest.of(b"{}"), size=2)
    data = compact_json({"mediaType": OCI_MANIFEST, "config": config.to_json(), "layers": []})
    content = single(
        Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data)),
        data,
        b"no json",
    )
    assert content.platforms == ()
    assert content.configs() == {config.digest}


def test_children_come_before_what_lists_them_and_each_once(image: Content) -> None:
    inner, inner_data = index(image.root)
    outer, outer_data = index(image.root, inner)
    documents = {**image.documents, inner.digest: inner_data, outer.digest: outer_data}
    whole = Content(root=outer, documents=documents, blobs=image.blobs, image_id=None, platforms=())
    assert whole.children_first() == (image.root.digest, inner.digest, outer.digest)
    assert whole.configs() == image.configs()


CACHE = "application/vnd.buildkit.cacheconfig.v0"


@pytest.mark.parametrize("kind", [f"{OCI_LAYER}+gzip", CACHE, "text/plain"])
def test_an_index_may_list_blobs_beside_manifests(image: Content, kind: str) -> None:
    blob = Descriptor(media_type=kind, digest=Digest.of(b"blob"), size=4)
    root, data = index(blob, image.root)
    whole = Content(
        root=root,
        documents={**image.documents, root.digest: data},
        blobs=(blob, *image.blobs),
        image_id=None,
        platforms=(),
    )
    document = parse_document(data)
    assert document.blobs == (blob,)
    assert [each.digest for each in document.children] == [image.root.digest]
    assert whole.children_first() == (image.root.digest, root.digest)
    with pytest.raises(NoDockerFormError, match="no manifest"):
        docker_form(whole)
