import pytest

from dockless.model.renaming import Map, Renaming
from dockless.oci.reference import Name

HOST = "registry.inside:5000"


def target(name: str, **rules: object) -> str:
    return str(Renaming(host=HOST, **rules).target(Name.parse(name)))  # type: ignore[arg-type] # by these names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docker.io/library/nginx:1.25", "library/nginx:1.25"),
        ("ghcr.io/acme/shop:v2", "acme/shop:v2"),
        ("nginx:1.25", "nginx:1.25"),
        ("acme/shop", "acme/shop:latest"),
    ],
)
def test_a_name_keeps_its_path_and_loses_its_host(name: str, expected: str) -> None:
    assert target(name) == f"{HOST}/{expected}"
    assert target(name, prefix="mirror") == f"{HOST}/mirror/{expected}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docker.io/library/nginx:1", "nginx:1"),
        ("nginx:1", "nginx:1"),
        ("ghcr.io/acme/team/shop:1", "team/shop:1"),
        ("ghcr.io/acmeteam/shop:1", "acmeteam/shop:1"),
    ],
)
def test_a_beginning_is_taken_away_in_whole_components(name: str, expected: str) -> None:
    strip = ("docker.io/library", "ghcr.io/acme/", "ghcr.io")
    assert target(name, strip=strip) == f"{HOST}/{expected}"


def test_the_first_map_that_fits_counts_and_is_not_stripped() -> None:
    maps = tuple(
        map(Map.parse, ("docker.io/library/*=base/*", "docker.io/*=hub/*", "ghcr.io/a/b=c"))
    )
    rules = {"maps": maps, "strip": ("docker.io",)}
    assert target("nginx:1", **rules) == f"{HOST}/base/nginx:1"
    assert target("docker.io/acme/shop:1", **rules) == f"{HOST}/hub/acme/shop:1"
    assert target("ghcr.io/a/b:1", **rules) == f"{HOST}/c:1"
    assert target("ghcr.io/a/b/c:1", **rules) == f"{HOST}/a/b/c:1"


def test_a_flat_name_has_no_slash() -> None:
    assert target("ghcr.io/acme/shop:1", flatten=True) == f"{HOST}/acme-shop:1"
    assert target("ghcr.io/acme/shop:1", flatten=True, prefix="m") == f"{HOST}/m/acme-shop:1"


@pytest.mark.parametrize("text", ["", "a", "=b", "a=", "a/*=b", "a=b/*", "a/*/*=b/*"])
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PATTERN=REPLACEMENT"):
        Map.parse(text)


def test_a_rule_that_gives_no_repository_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not a repository name"):
        target("nginx", maps=(Map("docker.io/library/*", "Base/*"),))
