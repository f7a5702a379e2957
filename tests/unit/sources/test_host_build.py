"""Building an image on a host, in its folder of the project."""

import contextlib
from collections.abc import Collection, Sequence

import pytest

from dockless.errors import UsageError
from dockless.model.builder import Builder, HostRecipe
from dockless.model.server import Server
from dockless.processes.programs import Running
from dockless.processes.run import Finished
from dockless.sources.host_build import build_there, plan_there

BUILD = HostRecipe(
    project="shop",
    image="shop:v1",
    composed=("shop-web", "shop_web"),
    compose_files=("compose.yaml", "docker-compose.yml"),
    builder=Builder(target="prod"),
)

SERVER = Server(address="build1", user="me")


class Host:
    """A host with docker, and these files."""

    def __init__(self, files: Collection[str]) -> None:
        self._files = files
        self.built: list[tuple[str, str]] = []

    def has(self, name: str) -> bool:
        return name == "docker"

    def is_file(self, path: str) -> bool:
        return path in self._files

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        assert timeout
        return Finished(0, b"", " ".join(argv))

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        self.built.append((" ".join(argv), folder))
        return 0

    def stream(self, argv: Sequence[str]) -> contextlib.AbstractContextManager[Running]:
        raise AssertionError(argv)


@pytest.mark.parametrize(("remote_dir", "folder"), [("", "/home/me/shop"), ("/srv/x", "/srv/x")])
def test_the_folder_is_the_servers_or_that_of_the_project(remote_dir: str, folder: str) -> None:
    host, notes = Host([f"{folder}/Dockerfile"]), list[str]()
    server = Server(address="build1", user="me", remote_dir=remote_dir)
    found = build_there(BUILD, host, "/home/me", server, notes.append)
    assert found == (("shop:v1",), "docker")
    argv = f"docker build -t shop:v1 -f {folder}/Dockerfile --target prod {folder}"
    assert host.built == [(argv, folder)]
    assert notes == ["Building shop:v1 with docker"]


@pytest.mark.parametrize("name", BUILD.compose_files)
def test_compose_builds_where_the_host_has_its_file(name: str) -> None:
    host = Host([f"/home/me/shop/{name}", "/home/me/shop/Dockerfile"])
    names, tool = build_there(BUILD, host, "/home/me", SERVER, lambda _: None)
    assert (names, tool) == (BUILD.composed, "docker")
    ((argv, _),) = host.built
    assert argv == f"docker compose -f /home/me/shop/{name} build"


def test_a_host_without_either_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing to build from"):
        build_there(BUILD, Host(()), "/home/me", SERVER, lambda _: None)


@pytest.mark.parametrize(
    ("files", "image"), [(["Dockerfile"], "shop:v1"), (["compose.yaml"], "shop-web")]
)
def test_a_plan_builds_nothing(files: list[str], image: str) -> None:
    host = Host([f"/home/me/shop/{name}" for name in files])
    plan = plan_there(BUILD, host, "/home/me", SERVER)
    assert (plan.image, plan.file) == (image, f"/home/me/shop/{files[0]}")
    assert host.built == []
