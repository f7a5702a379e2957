"""One image and its push, from which the tests of texts and documents start."""

import pytest

from dockless.model.plan import BlobPlan, Plan, PushResult, TagPlan
from dockless.oci.content import single
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, image_manifest
from dockless.oci.manifest import layer_media_type as media_type
from dockless.oci.reference import Repository


def digest(letter: str) -> Digest:
    return Digest("sha256", letter * 64)


@pytest.fixture
def plan() -> Plan:
    config = Descriptor(media_type=OCI_CONFIG, digest=digest("c"), size=1_520)
    base = Descriptor(media_type=media_type("gzip"), digest=digest("1"), size=76_400_000)
    app = Descriptor(media_type=media_type("gzip"), digest=digest("2"), size=5_310_000)
    manifest = image_manifest(config, (base, app))
    root = Descriptor(media_type=OCI_MANIFEST, digest=digest("d"), size=len(manifest))
    content = single(
        root, manifest, b'{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]}}'
    )
    return Plan(
        repository=Repository.of("localhost:5000", "team/shop"),
        content=content,
        blobs=(
            BlobPlan(config, present=False),
            BlobPlan(base, present=True),
            BlobPlan(app, present=False),
        ),
        tags=(
            TagPlan("v2", None, root.digest),
            TagPlan("stable", digest("e"), root.digest),
            TagPlan("latest", root.digest, root.digest),
        ),
        digest_is_new=True,
    )


@pytest.fixture
def result(plan: Plan) -> PushResult:
    return PushResult(
        plan=plan,
        unchanged=False,
        dry_run=False,
        verified=True,
        engine="crane",
        sent=5_311_520,
        attempts=1,
        seconds=1.9412,
    )
