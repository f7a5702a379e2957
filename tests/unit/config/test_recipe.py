"""What `--build` builds, here and on hosts."""

from pathlib import Path

import msgspec
import pytest

from dockless.config import compose
from dockless.config.naming import target
from dockless.config.project import nowhere
from dockless.config.recipe import host_recipe_of, recipe_of
from dockless.config.setting import Setting
from dockless.errors import UsageError
from fakes.settings import settings


@pytest.mark.parametrize("composed", [(), ("shop-web",), ("shop-web", "shop_web")])
def test_hosts_build_what_the_settings_name(tmp_path: Path, composed: tuple[str, ...]) -> None:
    given = msgspec.structs.replace(
        settings("ghcr", tags=("v1", "v2"), namespace="acme"),
        compose_images=lambda: tuple(Setting(name, "compose.yaml:3") for name in composed),
    )
    made = host_recipe_of(given, target(given, None), nowhere(tmp_path, {}))
    assert (made.project, made.image, made.composed) == ("shop", "shop:v1", composed)
    assert made.compose_files == compose.FILES


@pytest.mark.parametrize(
    ("files", "composed", "image"),
    [((), (), "shop:v1"), (("compose.yaml",), ("shop-web", "shop_web"), "shop-web")],
)
def test_this_machine_builds_with_compose_where_there_is_its_file(
    tmp_path: Path, files: tuple[str, ...], composed: tuple[str, ...], image: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    given = msgspec.structs.replace(
        settings("ghcr", tags=("v1",), namespace="acme"),
        compose_images=lambda: tuple(Setting(name, "compose.yaml:3") for name in composed),
    )
    names, made = recipe_of(given, target(given, None), nowhere(tmp_path, {}))
    assert names == (composed or (image,))
    assert (made.image, made.compose) == (image, tmp_path / files[0] if files else None)


def test_a_compose_file_of_several_images_builds_none(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").touch()
    given = settings("ghcr", namespace="acme")
    with pytest.raises(UsageError, match="builds several images, or none"):
        recipe_of(given, target(given, None), nowhere(tmp_path, {}))
