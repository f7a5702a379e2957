import pytest
from msgspec.structs import replace

from dockless.config.cascade import Settings
from dockless.config.own_targets import check_one_password, own_target
from dockless.config.setting import Setting
from dockless.errors import SourceError, UsageError
from dockless.model import kinds

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
    settings = Settings(project=SETTINGS.project)
    check_one_password(settings, ["ghcr.io/a/b:1", "ghcr.io/a/c:1", "Not:a:name"])
    with pytest.raises(UsageError, match=r"ghcr\.io, quay\.io"):
        check_one_password(settings, ["quay.io/a/b:1", "ghcr.io/a/b:1"])
