import pytest

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions
from dockless.model.shard import Shard
from dockless.oci.reference import Name
from dockless.usecases.mirror.given_names import GivenName
from dockless.usecases.mirror.rules import mirror_rules


def test_without_options_images_keep_their_names_and_all_are_mirrored() -> None:
    rules = mirror_rules("registry.inside:5000/m", MirrorOptions(), {})
    target = rules.renaming.target(Name.parse("ghcr.io/acme/shop:v1"))
    assert str(target.repository).startswith("registry.inside:5000/m/")
    assert target.tag == "v1"
    assert rules.part == Shard(0, 1)


@pytest.mark.parametrize("to", ["https://r.io:5000/m", "HTTPS://r.io:5000/m", "r.io:5000/m"])
def test_a_scheme_in_front_of_the_target_is_dropped(to: str) -> None:
    rules = mirror_rules(to, MirrorOptions(), {})
    assert (rules.renaming.host, rules.renaming.prefix) == ("r.io:5000", "m")


def test_the_part_may_be_that_of_the_environment() -> None:
    options = MirrorOptions(shard="auto")
    environment = {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}
    assert mirror_rules("registry.inside", options, environment).part == Shard(1, 3)


@pytest.mark.parametrize(
    ("to", "options", "says"),
    [
        ("not a host", MirrorOptions(), "--to not a host: 'not a host' is not a registry host"),
        ("http://r.io/a", MirrorOptions(), "'http://r.io/a' from --to asks for plain HTTP"),
        ("HTTP://r.io", MirrorOptions(), "from --to asks for plain HTTP"),
        ("registry.inside/UPPER", MirrorOptions(), "--to registry.inside/UPPER: 'UPPER' is not"),
        ("docker.io/Mine", MirrorOptions(), "--to docker.io/Mine: 'Mine' is not a repository name"),
        ("registry.inside/a/", MirrorOptions(), "--to registry.inside/a/: 'a/' is not a repo"),
        ("registry.inside//a", MirrorOptions(), "--to registry.inside//a: '/a' is not a repo"),
        ("registry.inside/a:1", MirrorOptions(), "--to registry.inside/a:1: 'a:1' is not a repo"),
        (f"r.io/a@sha256:{'0' * 64}", MirrorOptions(), "'a@sha256:0.* is not a repository name"),
        ("registry.inside", MirrorOptions(maps=("nothing",)), "--map nothing is not PATTERN"),
        ("registry.inside", MirrorOptions(shard="4/4"), "--shard 4/4: "),
        ("registry.inside", MirrorOptions(shard="x"), "--shard x: "),
        ("not a host", MirrorOptions(shard="x"), "--to not a host: "),
    ],
)
def test_a_wrong_rule_is_a_usage_error(to: str, options: MirrorOptions, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        mirror_rules(to, options, {})
    assert "/x" not in caught.value.what, "nothing else than what was typed"


@pytest.mark.parametrize(
    ("options", "target"),
    [
        (MirrorOptions(), "r.io/m/acme/team/shop:v1"),
        (MirrorOptions(strip=("ghcr.io/acme",)), "r.io/m/team/shop:v1"),
        (MirrorOptions(flatten=True), "r.io/m/acme-team-shop:v1"),
        (MirrorOptions(maps=("ghcr.io/acme/*=base/*",)), "r.io/m/base/team/shop:v1"),
        (MirrorOptions(maps=("quay.io/*=a/*", "ghcr.io/*=b/*")), "r.io/m/b/acme/team/shop:v1"),
    ],
)
def test_every_option_renames(options: MirrorOptions, target: str) -> None:
    rules = mirror_rules("r.io/m", options, {})
    assert str(rules.renaming.target(Name.parse("ghcr.io/acme/team/shop:v1"))) == target


@pytest.mark.parametrize(
    ("text", "given"),
    [(None, GivenName()), ("nm", GivenName("nm")), ("a/nm:v1", GivenName("a/nm", "v1"))],
)
def test_the_name_that_is_given_is_read(text: str | None, given: GivenName) -> None:
    assert mirror_rules("r.io", MirrorOptions(named=text), {}).given == given


@pytest.mark.parametrize(
    ("to", "options"),
    [
        (f"{'x' * 9000} y", MirrorOptions()),
        ("r.io", MirrorOptions(maps=("m" * 9000,))),
        ("r.io", MirrorOptions(shard="1/" + "9" * 9000)),
    ],
)
def test_of_a_very_long_rule_the_beginning_is_named(to: str, options: MirrorOptions) -> None:
    with pytest.raises(UsageError, match=r"--\w+ .{40}\.\.\.:? "):
        mirror_rules(to, options, {})
