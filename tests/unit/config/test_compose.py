from collections.abc import Mapping
from pathlib import Path

import pytest

from dockless.config import compose
from dockless.config.setting import Setting
from dockless.errors import UsageError


def images(
    folder: Path, text: str, environment: Mapping[str, str] | None = None
) -> tuple[Setting[str], ...]:
    (folder / "compose.yaml").write_text(text)
    return compose.images(folder, environment or {})


def test_image_of_the_only_built_service(tmp_path: Path) -> None:
    text = "services:\n  web:\n    build: .\n    image: shop:dev\n  db:\n    image: postgres\n"
    assert images(tmp_path, text) == (Setting("shop:dev", "compose.yaml:4"),)


@pytest.mark.parametrize(
    "service",
    [
        "{image: 'postgres:15'}",
        "{image: redis, build: }",
        "{image: 'r.io/acme/shop:dev', container_name: shop, ports: ['80:80']}",
        "{image: 'mysql:8', environment: {MYSQL_DATABASE: shop}, profiles: [db]}",
        "{image: 'shop:latest', depends_on: []}",
    ],
)
def test_image_of_a_service_that_is_not_built_is_none_of_the_project(
    tmp_path: Path, service: str
) -> None:
    assert images(tmp_path, f"services:\n  db: {service}\n") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "services:\n",
        "services: {}\n",
        "services: {a: {image: x}, b: {image: y}}\n",
        "services: {a: {build: .}, b: {build: .}}\n",
        "services: {a: {command: x}}\n",
    ],
)
def test_doubt_is_no_image(tmp_path: Path, text: str) -> None:
    assert images(tmp_path, text) == ()


def test_built_service_without_image_has_the_names_that_compose_gives_it(tmp_path: Path) -> None:
    folder = tmp_path / "My.Shop"
    folder.mkdir()
    text = "services:\n  web:\n    build: .\n"
    assert images(folder, text) == (
        Setting("myshop-web:latest", "compose.yaml:3"),
        Setting("myshop_web:latest", "compose.yaml:3"),
    )
    named, _ = images(folder, f"name: other\n{text}")
    assert named == Setting("other-web:latest", "compose.yaml:4")
    named, _ = images(folder, text, {"COMPOSE_PROJECT_NAME": "env"})
    assert named.value == "env-web:latest"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A/shop", "ay/shop"),
        ("${A}/shop:${B:-dev}", "ay/shop:dev"),
        ("shop:${EMPTY:-dev}", "shop:dev"),
        ("shop:x${EMPTY-dev}", "shop:x"),
        ("shop$$A", "shop$A"),
    ],
)
def test_variables_are_replaced(tmp_path: Path, text: str, value: str) -> None:
    text = f"services:\n  web:\n    build: .\n    image: '{text}'\n"
    [found] = images(tmp_path, text, {"A": "ay", "EMPTY": ""})
    assert found.value == value


def test_files_are_found_in_order(tmp_path: Path) -> None:
    assert compose.find(tmp_path) is None
    for name in reversed(compose.FILES):
        (tmp_path / name).write_text("services:\n  a:\n    image: a\n")
        found = compose.find(tmp_path)
        assert found
        assert found.name == name


def test_no_file_is_no_image(tmp_path: Path) -> None:
    assert compose.images(tmp_path, {}) == ()


def test_wrong_types_are_refused_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`services\.web\.image` in compose\.yaml:4 is a number"):
        images(tmp_path, "services:\n  web:\n    build: .\n    image: 5\n")
