"""`--build`: the image is built by a real tool first, and what was built is what arrives."""

import json
from pathlib import Path

import pytest

from bed import pushes
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.failures import complaint
from bed.podman import Account
from bed.pushes import Pusher
from bed.registry import Registry

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_FILE = "FROM {base}\nARG WHO=nobody\nCOPY hello /hello\nENV GREETING=$WHO\n"
_BASE = "dockless-base:1"
_REPOSITORIES = Path("docker", "registry", "v2", "repositories")


@pytest.fixture
def on_docker(old_docker: Docker, registry: Registry, tmp_path: Path) -> Pusher:
    """Docker 20.10 without BuildKit, and a project with something to copy."""
    folder = tmp_path / "dockless"
    program = dockless(folder, PATH=_PATH, DOCKER_HOST=old_docker.address, DOCKER_BUILDKIT="0")
    # the project is named after the test, so that images of other tests are not in the way
    name = {"name": tmp_path.name.lower().replace("_", "-")}
    (program.project / "package.json").write_text(json.dumps(name))
    (program.project / "hello").write_text("hello\n")
    return Pusher(program, registry, tmp_path)


def greeting(pusher: Pusher, name: str) -> str:
    """Return what the build put into the environment of the image that arrived."""
    config = json.loads(pushes.output_bytes(_inspect(pusher, name)))
    settings: list[str] = config["config"]["Env"]
    return next(each for each in settings if each.startswith("GREETING="))


def _inspect(pusher: Pusher, name: str) -> tuple[str, ...]:
    reference = f"docker://{pusher.reference(name)}"
    return ("skopeo", "inspect", "--config", "--tls-verify=false", reference)


@pytest.mark.parametrize("name", ["Dockerfile", "Containerfile"])
def test_docker_builds_what_then_arrives(on_docker: Pusher, old_docker: Docker, name: str) -> None:
    project = on_docker.program.project
    (project / name).write_text(_FILE.format(base=_BASE))
    result = on_docker.run("build/docker:1", "--build")
    assert on_docker.digest_in(result, "build/docker:1") == on_docker.digest("build/docker:1")
    image = json.loads((project / "package.json").read_text())["name"]
    built = pushes.inspected(old_docker.run("image", "inspect", f"{image}:1"))
    assert f"Building {image}:1 with docker\n" in result.stderr
    assert on_docker.back("build/docker:1") == built
    assert greeting(on_docker, "build/docker:1") == "GREETING=nobody"


def test_the_image_is_built_even_if_there_is_one(on_docker: Pusher) -> None:
    dockerfile = on_docker.program.project / "Dockerfile"
    dockerfile.write_text(_FILE.format(base=_BASE))
    first = on_docker.push("build/again:1", "--build")
    dockerfile.write_text(_FILE.format(base=_BASE) + "LABEL again=yes\n")
    built = json.loads((on_docker.program.project / "package.json").read_text())["name"]
    assert on_docker.push("build/again:1", f"{built}:1") == first
    assert on_docker.push("build/again:1", "--build") != first


def test_the_builder_of_a_kamal_file_is_obeyed(on_docker: Pusher) -> None:
    project = on_docker.program.project
    (project / "app").mkdir()
    (project / "hello").rename(project / "app" / "hello")
    (project / "prod.Dockerfile").write_text(
        _FILE.format(base=f"{_BASE} AS wanted") + f"FROM {_BASE}\nENV GREETING=last\n"
    )
    (project / "config").mkdir()
    (project / "config" / "deploy.yml").write_text(
        "service: kamal-build\nimage: build/kamal\nbuilder:\n  context: app\n"
        "  dockerfile: prod.Dockerfile\n  target: wanted\n  args:\n    WHO: somebody\n"
    )
    on_docker.push("build/kamal:1", "--build")
    assert greeting(on_docker, "build/kamal:1") == "GREETING=somebody"


@pytest.mark.parametrize("image", ["    image: build-composed:3\n", ""], ids=["named", "unnamed"])
def test_compose_builds_what_then_arrives(on_docker: Pusher, image: str) -> None:
    project = on_docker.program.project
    (project / "Dockerfile").write_text("this is not the file that is built\n")
    (project / "web.Dockerfile").write_text(_FILE.format(base=_BASE))
    (project / "docker-compose.yml").write_text(
        "version: '3'\nservices:\n  web:\n    build:\n      context: .\n"
        f"      dockerfile: web.Dockerfile\n      args: {{WHO: compose}}\n{image}"
    )
    on_docker.push("build/compose:1", "--build")
    assert greeting(on_docker, "build/compose:1") == "GREETING=compose"


def test_rootless_podman_builds_what_then_arrives(
    rootless: Account, registry: Registry, tmp_path: Path, program: Dockless
) -> None:
    project = tmp_path / "build-podman"
    project.mkdir()
    (project / "hello").write_text("hello\n")
    (project / "Containerfile").write_text(_FILE.format(base=f"localhost/{_BASE}"))
    inside = f"--chdir={rootless.give(project)}"
    pusher = Pusher(program, registry, tmp_path)
    argv = ("push", "--build", "--image", pusher.reference("build/podman:1"))
    printed = rootless.run("env", inside, "dockless", *argv)
    built = pushes.inspected(rootless.run("podman", "image", "inspect", "build-podman:1"))
    assert printed == f"{pusher.reference('build/podman')}@{pusher.digest('build/podman:1')}"
    assert pusher.back("build/podman:1") == built


def test_a_build_that_fails_sends_nothing(on_docker: Pusher) -> None:
    (on_docker.program.project / "Dockerfile").write_text(f"FROM {_BASE}\nCOPY gone /\n")
    result = on_docker.run("build/failed:1", "--build")
    assert "docker could not build" in complaint(result, 1)
    assert "COPY failed" in result.stderr
    assert not (on_docker.registry.storage / _REPOSITORIES / "build" / "failed").exists()


def test_with_nothing_to_build_from_it_is_a_usage_error(on_docker: Pusher) -> None:
    what = complaint(on_docker.run("build/nothing:1", "--build"), 2)
    assert "nothing to build from" in what
    assert "Containerfile" in what


def test_several_services_that_are_built_are_a_usage_error(on_docker: Pusher) -> None:
    (on_docker.program.project / "compose.yaml").write_text(
        "services:\n  one: {build: .}\n  two: {build: .}\n"
    )
    assert "compose.yaml builds several" in complaint(on_docker.run("build/two:1", "--build"), 2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dockerfile", "None of docker, podman and buildah works here"),
        ("compose.yaml", "none of docker compose, docker-compose and podman-compose works here"),
    ],
)
def test_without_a_tool_that_works_nothing_can_be_built(
    registry: Registry, tmp_path: Path, name: str, said: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    program = dockless(tmp_path / "dockless", PATH=str(empty))
    (program.project / name).write_text("services: {web: {build: .}}\n")
    result = Pusher(program, registry, tmp_path).run("build/no-tool:1", "--build")
    assert said in complaint(result, 7)
