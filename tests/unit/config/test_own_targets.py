import pytest
from msgspec.structs import replace

from dockless.config.cascade import Settings
from dockless.config.own_targets import (
    OwnTargets,
    check_one_password,
    own_reference,
    own_target,
    pushed_names,
)
from dockless.config.setting import Setting
from dockless.errors import SourceError, UsageError
from dockless.model import kinds
from dockless.model.renaming import Renaming
from dockless.oci.digest import Digest
from dockless.oci.reference import Name, Repository

SETTINGS = Settings(
    project=lambda: Setting("shop", "here"),
    registry=Setting(kinds.DOCKERHUB, "--registry"),
    username=Setting("me", "--username"),
)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ghcr.io/acme/shop:v2", "ghcr.io/acme/shop:v2"),
        ("localhost:5000/shop", "localhost:5000/shop:latest"),
        ("v3", "docker.io/me/shop:v3"),
    ],
)
def test_an_image_goes_where_its_own_name_says(name: str, reference: str) -> None:
    settings = Settings(project=SETTINGS.project) if "/" in name else SETTINGS
    assert [str(each) for each in own_target(settings, name).references] == [reference]


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("localhost/shop:v2", "ghcr.io/acme/shop:v2"),
        ("localhost/team/web", "ghcr.io/team/web:latest"),
        ("localhost/a/b/c:1", "ghcr.io/a/b/c:1"),
        ("localhost:80/shop:v2", "localhost:80/shop:v2"),
    ],
)
def test_localhost_without_a_port_is_podmans_word_for_no_registry(
    name: str, reference: str
) -> None:
    settings = replace(
        SETTINGS,
        registry=Setting(kinds.named("ghcr"), "--registry") if "localhost/" in name else None,
        namespace=Setting("acme", "--namespace"),
    )
    assert [str(each) for each in own_target(settings, name).references] == [reference]


@pytest.mark.parametrize("name", ["Shop:v1", "ghcr.io/acme/shop:", "ghcr.io//shop"])
def test_what_is_no_name_is_a_failure_of_that_image(name: str) -> None:
    with pytest.raises(SourceError, match="not an image name"):
        own_target(SETTINGS, name)


def test_one_password_is_for_one_registry() -> None:
    ghcr = [Repository.of("ghcr.io", path) for path in ("a/b", "a/c")]
    check_one_password(ghcr)
    check_one_password([])
    with pytest.raises(UsageError, match=r"ghcr\.io, quay\.io"):
        check_one_password([Repository.of("quay.io", "a/b"), *ghcr])


HOST = "registry.example.com:5000"
TO = Setting(Renaming.into(f"{HOST}/mirror/x"), "--to")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("shop:v1", "library/shop:v1"),
        ("acme/web", "acme/web:latest"),
        ("ghcr.io/acme/shop:v2", "acme/shop:v2"),
        ("docker.io/library/alpine:3", "library/alpine:3"),
        ("localhost/team/app:1", "team/app:1"),
        ("localhost:5000/a/b:1", "a/b:1"),
        ("v3", "shop:v3"),
    ],
)
def test_with_a_destination_every_image_keeps_its_path_as_in_a_mirror(name: str, path: str) -> None:
    target = own_target(replace(SETTINGS, registry=None, to=TO), name)
    path = path.removeprefix("library/") if "library/" not in name else path
    assert [str(each) for each in target.references] == [
        f"registry.example.com:5000/mirror/x/{path}"
    ]
    assert target.kind.value is kinds.PRIVATE
    if ":" in name and not name.startswith("localhost/"):
        mirrored = TO.value.target(Name.parse(name))
        assert target.references == (mirrored,)


PIN = Digest.of(b"manifest")


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ghcr.io/acme/web@{}", "ghcr.io/acme/web@{}"),
        ("quay.io/a/b:2@{}", "quay.io/a/b:2"),
        ("localhost:80/x@{}", "localhost:80/x@{}"),
        ("ghcr.io/acme/web:3", "ghcr.io/acme/web:3"),
    ],
)
def test_what_is_pinned_by_digest_only_goes_by_digest_as_in_a_mirror(
    name: str, reference: str
) -> None:
    settings, name = Settings(project=SETTINGS.project), name.format(PIN)
    assert str(own_reference(settings, name)) == reference.format(PIN)
    below = own_reference(replace(settings, to=TO), name)
    assert below == TO.value.target(Name.parse(name))


@pytest.mark.parametrize(
    ("settings", "home", "reference"),
    [
        (SETTINGS, "docker.io/me/shop", "docker.io/me/shop:v3"),
        (replace(SETTINGS, registry=None, to=TO), "disk", f"{HOST}/mirror/x/disk:v3"),
        (
            replace(SETTINGS, registry=Setting(kinds.GHCR, "--registry")),
            "ghcr.io/me/shop",
            "ghcr.io/me/shop:v3",
        ),
    ],
)
def test_the_bare_tags_of_a_source_have_one_home(
    settings: Settings, home: str, reference: str
) -> None:
    own = OwnTargets(settings, "disk")
    assert own.home == home
    assert str(own.reference("v3")) == reference
    assert own.host == (HOST if settings.to else None)


def test_where_bare_tags_go_nowhere_the_source_gives_its_name() -> None:
    own = OwnTargets(Settings(project=SETTINGS.project), "disk")
    assert own.home == "disk"


@pytest.mark.parametrize(
    ("names", "pushed"),
    [
        (("docker.io/library/shop:v1", "v1"), ("docker.io/library/shop:v1",)),
        (("v1", "v2"), ("v1", "v2")),
        ((), ()),
    ],
)
def test_with_a_destination_bare_tags_count_without_whole_names_only(
    names: tuple[str, ...], pushed: tuple[str, ...]
) -> None:
    assert pushed_names(replace(SETTINGS, to=TO), names) == pushed
    assert pushed_names(SETTINGS, names) == names


def test_a_name_that_is_none_below_the_destination_is_a_failure_of_that_image() -> None:
    with pytest.raises(SourceError, match=r"no valid name at registry\.example\.com:5000"):
        own_target(replace(SETTINGS, to=TO), "a/" * 120 + "b:1")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (replace(SETTINGS, registry=Setting(kinds.PRIVATE, "--registry")), "shop:v1"),
        (replace(SETTINGS, registry=Setting(kinds.ACR, "--registry")), "team/shop:v1"),
        (replace(SETTINGS, registry=Setting(kinds.ECR, "DOCKLESS_REGISTRY")), "v1"),
        (Settings(project=SETTINGS.project), "shop:v1"),
        (replace(SETTINGS, registry=Setting(kinds.GHCR, "--registry")), "quay.io/a/b:1"),
    ],
)
def test_what_has_no_target_is_advised_an_option_that_goes_with_all(
    settings: Settings, name: str
) -> None:
    with pytest.raises(UsageError) as caught:
        own_target(settings, name)
    assert "--to HOST[/PREFIX]" in caught.value.remedy
    assert "--image" not in caught.value.remedy
