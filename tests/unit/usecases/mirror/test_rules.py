import pytest

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions
from dockless.model.shard import Shard
from dockless.oci.reference import Name
from dockless.usecases.mirror.rules import mirror_rules


def test_without_options_images_keep_their_names_and_all_are_mirrored() -> None:
    rules = mirror_rules("registry.inside:5000/m", MirrorOptions(), {})
    target = rules.renaming.target(Name.parse("ghcr.io/acme/shop:v1"))
    assert str(target.repository).startswith("registry.inside:5000/m/")
    assert target.tag == "v1"
    assert rules.part == Shard(0, 1)


def test_the_part_may_be_that_of_the_environment() -> None:
    options = MirrorOptions(shard="auto")
    environment = {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}
    assert mirror_rules("registry.inside", options, environment).part == Shard(1, 3)


@pytest.mark.parametrize(
    ("to", "options", "says"),
    [
        ("not a host", MirrorOptions(), "--to not a host: 'not a host' is not a registry host"),
        ("registry.inside/UPPER", MirrorOptions(), "--to registry.inside/UPPER: 'UPPER' is not"),
        ("docker.io/Mine", MirrorOptions(), "--to docker.io/Mine: 'Mine' is not a repository name"),
        ("registry.inside/a/", MirrorOptions(), "--to registry.inside/a/: 'a/' is not a repo"),
        ("registry.inside//a", MirrorOptions(), "--to registry.inside//a: '/a' is not a repo"),
        ("registry.inside/a:1", MirrorOptions(), "--to registry.inside/a:1: 'a:1' is not a repo"),
        (f"r.io/a@sha256:{'0' * 64}", MirrorOptions(), "'a@sha256:0.* is not a repository name"),
        ("registry.inside", MirrorOptions(maps=("nothing",)), "--map nothing: it is not PATTERN"),
        ("registry.inside", MirrorOptions(shard="4/4"), "--shard 4/4: "),
        ("registry.inside", MirrorOptions(shard="x"), "--shard x: "),
        ("not a host", MirrorOptions(shard="x"), "--to not a host: "),
    ],
)
def test_a_wrong_rule_is_a_usage_error(to: str, options: MirrorOptions, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        mirror_rules(to, options, {})
    assert "/x" not in caught.value.what, "nothing else than what was typed"
