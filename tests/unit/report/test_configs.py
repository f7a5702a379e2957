import json

from msgspec.structs import replace

from dockless.model.plan import Plan
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, image_manifest


def test_a_config_is_what_the_manifest_says_it_is(plan: Plan) -> None:
    assert plan.content.configs() == {plan.content.image_id}


def test_an_artifacts_config_may_have_any_type(plan: Plan) -> None:
    config = Descriptor(
        media_type="application/vnd.example.config+json", digest=Digest.of(b"{}"), size=2
    )
    layer = Descriptor(
        media_type="application/vnd.example.thing", digest=Digest.of(b"thing"), size=5
    )
    documents = {plan.content.root.digest: image_manifest(config, (layer,))}

    assert replace(plan.content, documents=documents).configs() == {config.digest}


def test_an_index_has_the_configs_of_all_its_manifests() -> None:
    configs = [
        Descriptor(media_type="application/json", digest=Digest.of(name), size=3)
        for name in (b"arm", b"amd")
    ]
    manifests = [image_manifest(config, ()) for config in configs]
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                Descriptor(
                    media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data)
                ).to_json()
                for data in manifests
            ],
        }
    ).encode()
    root = Descriptor(media_type=OCI_INDEX, digest=Digest.of(index), size=len(index))
    documents = {Digest.of(data): data for data in (index, *manifests)}

    content = Content(
        root=root, documents=documents, blobs=tuple(configs), image_id=None, platforms=()
    )

    assert content.configs() == {config.digest for config in configs}


def test_missing_layers_are_neither_configs_nor_present(plan: Plan) -> None:
    assert [layer.digest.hex[0] for layer in plan.missing_layers] == ["2"]
