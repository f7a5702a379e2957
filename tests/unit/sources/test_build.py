from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import EngineError, PushError, UsageError
from dockless.model.builder import Builder, Recipe
from dockless.processes.programs import ProgramsHere
from dockless.sources.build import build

Install = Callable[..., None]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin")}


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Put a tool on PATH; it answers questions with one status, and builds with another."""

    def put(name: str, answers: int = 0, builds: int = 0) -> None:
        path = tmp_path / "bin" / name
        path.write_text(
            f"#!/bin/sh\necho \"{name} $*\" >> '{tmp_path}/log'\n"
            f'case "$*" in *version*|info) exit {answers};; esac\nexit {builds}\n'
        )
        path.chmod(0o755)

    return put


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").touch()
    return Recipe(folder=project, image="shop:1")


def built(tmp_path: Path) -> str:
    return (tmp_path / "log").read_text().splitlines()[-1]


def silent(_: str) -> None:
    """Take a note and lose it."""


@pytest.mark.parametrize(
    ("tool", "verb"), [("docker", "build"), ("podman", "build"), ("buildah", "bud")]
)
def test_the_tool_that_works_builds(
    environment: dict[str, str], install: Install, recipe: Recipe, tool: str, verb: str
) -> None:
    install(tool)
    assert build(recipe, ProgramsHere(environment), silent) == tool
    folder = recipe.folder
    assert built(folder.parent) == f"{tool} {verb} -t shop:1 -f {folder}/Dockerfile {folder}"


def test_a_client_without_its_daemon_gives_way_to_the_next_tool(
    environment: dict[str, str], install: Install, recipe: Recipe
) -> None:
    install("docker", answers=1)
    install("podman")
    assert build(recipe, ProgramsHere(environment), silent) == "podman"


def test_arguments_target_context_and_file_are_handed_on(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("docker")
    (tmp_path / "app").mkdir()
    (tmp_path / "app.Dockerfile").touch()
    recipe = Recipe(
        folder=tmp_path,
        image="shop:1",
        compose=None,
        builder=Builder(
            context="app",
            dockerfile="app.Dockerfile",
            args=(("A", "1"), ("B", "two words")),
            target="prod",
        ),
    )
    build(recipe, ProgramsHere(environment), silent)
    assert built(tmp_path) == (
        f"docker build -t shop:1 -f {tmp_path}/app.Dockerfile --build-arg A=1 "
        f"--build-arg B=two words --target prod {tmp_path}/app"
    )


def test_a_containerfile_will_do(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("podman")
    (tmp_path / "Containerfile").touch()
    build(Recipe(folder=tmp_path, image="shop:1"), ProgramsHere(environment), silent)
    assert f"-f {tmp_path}/Containerfile" in built(tmp_path)


@pytest.mark.parametrize(
    ("command", "tool"),
    [("docker compose", "docker"), ("docker-compose", "docker"), ("podman-compose", "podman")],
)
def test_a_compose_file_is_built_with_compose_and_the_tool_behind_it_has_the_image(
    environment: dict[str, str], install: Install, tmp_path: Path, command: str, tool: str
) -> None:
    install(command.split(maxsplit=1)[0])
    compose = tmp_path / "compose.yml"
    assert (
        build(
            Recipe(folder=tmp_path, image="shop:1", compose=compose),
            ProgramsHere(environment),
            silent,
        )
        == tool
    )
    assert built(tmp_path) == f"{command} -f {compose} build"


def test_nothing_to_build_from_is_a_usage_error(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("docker")
    with pytest.raises(UsageError, match=r"Dockerfile or .*Containerfile"):
        build(Recipe(folder=tmp_path, image="shop:1"), ProgramsHere(environment), silent)


@pytest.mark.parametrize("compose", [None, Path("compose.yml")])
def test_no_tool_that_works_is_an_error_that_names_them(
    environment: dict[str, str], install: Install, recipe: Recipe, compose: Path | None
) -> None:
    install("docker", answers=1)
    with pytest.raises(EngineError, match="podman"):
        build(
            Recipe(folder=recipe.folder, image="shop:1", compose=compose),
            ProgramsHere(environment),
            silent,
        )


def test_a_build_that_fails_sends_nothing(
    environment: dict[str, str], install: Install, recipe: Recipe
) -> None:
    install("docker", builds=1)
    with pytest.raises(PushError, match="docker could not build shop:1"):
        build(recipe, ProgramsHere(environment), silent)


def test_what_is_built_with_what_is_said(
    environment: dict[str, str], install: Install, recipe: Recipe
) -> None:
    said: list[str] = []
    install("docker")
    build(recipe, ProgramsHere(environment), said.append)
    assert said == ["Building shop:1 with docker"]


@pytest.mark.parametrize(
    ("unused", "said"),
    [
        ((), []),
        (("pack",), ["Not used for this build: `builder.pack` of deploy.yml."]),
        (
            ("arch", "secrets"),
            ["Not used for this build: `builder.arch`, `builder.secrets` of deploy.yml."],
        ),
    ],
)
def test_what_a_build_does_not_heed_is_said(
    environment: dict[str, str],
    install: Install,
    recipe: Recipe,
    unused: tuple[str, ...],
    said: list[str],
) -> None:
    install("docker")
    notes: list[str] = []
    made = replace(recipe, builder=Builder(unused=unused))
    build(made, ProgramsHere(environment), notes.append)
    assert notes[:-1] == said
