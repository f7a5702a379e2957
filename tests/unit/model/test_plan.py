from pathlib import Path

import pytest

from dockless.model.plan import BlobPlan, Plan, PushResult, TagPlan
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from fakes.image import FakeImage

DIGEST, OTHER = Digest.of(b"one"), Digest.of(b"two")


@pytest.mark.parametrize(
    ("before", "action"), [(None, "create"), (DIGEST, "keep"), (OTHER, "move")]
)
def test_a_tag_is_made_kept_or_moved(before: Digest | None, action: str) -> None:
    assert TagPlan("v1", before, DIGEST).action == action


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """An image of which the registry has the first layer only."""
    content = FakeImage(tmp_path).content()
    config, base, app = content.blobs
    blobs = (BlobPlan(config, False), BlobPlan(base, True), BlobPlan(app, False))  # noqa: FBT003 - a table
    tags = (TagPlan("v1", None, content.root.digest), TagPlan("v2", OTHER, content.root.digest))
    return Plan(
        repository=Repository.of("ghcr.io", "acme/shop"),
        content=content,
        blobs=blobs,
        tags=tags,
        digest_is_new=True,
    )


def test_what_the_registry_lacks_is_missing(plan: Plan) -> None:
    config, _, app = plan.content.blobs
    assert plan.missing == (config, app)
    assert plan.missing_layers == (app,)


def test_a_result_names_the_tags_in_order_and_the_digest(plan: Plan) -> None:
    result = PushResult(
        plan=plan,
        unchanged=False,
        dry_run=False,
        verified=True,
        engine="crane",
        sent=1,
        attempts=1,
        seconds=1.0,
    )
    assert [str(each) for each in result.references] == [
        "ghcr.io/acme/shop:v1",
        "ghcr.io/acme/shop:v2",
    ]
    assert result.digest == plan.content.root.digest
