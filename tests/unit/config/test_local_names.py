from pathlib import Path

import msgspec
import pytest

from dockless.config.local_names import called_otherwise, local_candidates
from dockless.config.naming import target
from dockless.config.project import NamelessError, nowhere
from dockless.config.recipe import host_recipe_of, recipe_of
from dockless.config.setting import Setting
from dockless.diagnosis.explain import setting_rows
from fakes.settings import settings


def test_local_candidates_come_in_order_and_once() -> None:
    given = msgspec.structs.replace(
        settings("ghcr", "acme/shop", ("v1", "v2"), image_origin="config/deploy.yml:1"),
        compose_images=lambda: (Setting("shop-web:latest", "compose.yaml:3"),),
    )
    assert local_candidates(given, target(given, None)) == ("shop:v1", "shop:v2", "shop:latest")
    nothing = msgspec.structs.replace(given, tags=())
    assert local_candidates(nothing, target(nothing, None)) == (
        "ghcr.io/acme/shop:latest",
        "shop:latest",
        "acme/shop:latest",
        "shop-web:latest",
    )


@pytest.mark.parametrize("origin", ["--image", "DOCKLESS_IMAGE"])
@pytest.mark.parametrize(
    ("image", "tags", "expected"),
    [
        ("r.io/nb/notbuilt:9", (), ("r.io/nb/notbuilt:9", "nb/notbuilt:9", "notbuilt:9")),
        ("r.io/nb/shop:v1.0.0", (), ("r.io/nb/shop:v1.0.0", "nb/shop:v1.0.0", "shop:v1.0.0")),
        ("r.io/nb/web", ("10",), ("r.io/nb/web:10", "nb/web:10", "web:10")),
        ("r.io/nb/web:v1", ("v1", "v2"), ("r.io/nb/web:v1", "nb/web:v1", "web:v1")),
        ("r.io/web", (), ("r.io/web:latest", "web:latest")),
        ("r.io/a/b/c", (), ("r.io/a/b/c:latest", "a/b/c:latest", "c:latest")),
        ("web", ("10",), ("docker.io/me/web:10", "me/web:10", "web:10")),
        (
            "r.io/web",
            ("v1", "v2"),
            ("r.io/web:v1", "web:v1", "r.io/web:v2", "web:v2"),
        ),
        (
            "r.io/x/web",
            ("81", "82", "latest"),
            tuple(
                f"{name}:{tag}"
                for tag in ("81", "82", "latest")
                for name in ("r.io/x/web", "x/web", "web")
            ),
        ),
        (
            "web",
            ("a", "b"),
            tuple(
                f"{name}:{tag}" for tag in "ab" for name in ("docker.io/me/web", "me/web", "web")
            ),
        ),
    ],
)
def test_of_an_image_that_was_named_no_other_is_looked_for(
    image: str, tags: tuple[str, ...], expected: tuple[str, ...], origin: str
) -> None:
    given = settings(image=image, tags=tags, username="me", project="neuproj", image_origin=origin)
    if ":" in image.rpartition("/")[2]:  # as the cascade has it
        given = msgspec.structs.replace(given, tags=given.tags or (Setting("x", origin),))
        tag = image.rpartition(":")[2]
        given = msgspec.structs.replace(given, tags=given.tags if tags else (Setting(tag, origin),))
    assert local_candidates(given, target(given, None)) == expected


@pytest.mark.parametrize("tags", [("v2",), ("v2", "stable"), ("latest",)])
@pytest.mark.parametrize("image", ["", "acme/shop:v1.0.0", "ghcr.io/acme/neuproj", "neuproj:old"])
def test_a_tag_that_was_asked_for_is_the_projects_or_latest_and_no_other_image(
    tags: tuple[str, ...], image: str
) -> None:
    origin = "config/deploy.yml:2"
    given = settings("ghcr", image, tags, namespace="acme", project="neuproj", image_origin=origin)
    given = msgspec.structs.replace(
        given, filed=given.image, compose_images=lambda: (Setting("web:1", "compose.yaml:3"),)
    )
    found = local_candidates(given, target(given, None))
    assert found == tuple(dict.fromkeys((*(f"neuproj:{tag}" for tag in tags), "neuproj:latest")))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop:v2", False),
        ("ghcr.io/acme/shop:v2", False),
        ("other/shop:v2", False),
        ("shop:stable", False),
        ("shop:latest", True),
        ("shop", True),
        ("web:v2", True),
        ("sha256:1", True),
    ],
)
def test_a_local_image_that_is_called_otherwise_is_said(name: str, said: bool) -> None:  # noqa: FBT001 - the expectation
    given = settings("ghcr", tags=("v2", "stable"), namespace="acme")
    sentence = called_otherwise(name, target(given, None))
    assert bool(sentence) == said
    assert not said or (name in sentence and "ghcr.io/acme/shop:v2" in sentence)


def test_local_candidates_are_distinct() -> None:
    given = settings(image="localhost:5000/shop:latest", image_origin="docker-config.json")
    assert local_candidates(given, target(given, None)) == (
        "localhost:5000/shop:latest",
        "shop:latest",
    )


def test_local_candidates_leave_out_what_no_image_can_be_called() -> None:
    given = settings(image="ghcr.io/a/b", project="My App", image_origin="config/deploy.yml:2")
    assert local_candidates(given, target(given, None)) == ("ghcr.io/a/b:latest",)


def nameless() -> Setting[str]:
    raise NamelessError("The folder / has a name that is not valid for an image.")


@pytest.mark.parametrize(
    ("image", "origin", "tags"),
    [
        ("r.io/acme/shop", "--image", ("v1",)),
        ("r.io/web", "--image", ()),
        ("r.io/a/b/c", "docker-config.json", ("v1", "v2")),
        ("r.io/a/box", "docker-config.json", ()),
    ],
)
def test_a_folder_without_a_usable_name_needs_none_where_the_image_has_one(
    tmp_path: Path, image: str, origin: str, tags: tuple[str, ...]
) -> None:
    given = msgspec.structs.replace(
        settings("", image, tags, image_origin=origin), project=nameless
    )
    found, files = target(given, None), nowhere(tmp_path, {})
    last, tag = image.rpartition("/")[2], next(iter(tags), "latest")
    assert f"{last}:{tag}" in local_candidates(given, found)
    assert recipe_of(given, found, files)[1].image == f"{last}:{tag}"
    assert host_recipe_of(given, found, files).image == f"{last}:{tag}"
    assert ("project", "(not set)", "") in tuple(setting_rows(given))
