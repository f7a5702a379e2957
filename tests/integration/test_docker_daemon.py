"""Docker's daemon without its client: the same answers, and clear words when it fails."""

import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from bed import pushes
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.failures import complaint, holdings, leftovers, until
from bed.fixtures import SAMPLE
from bed.podman import Account
from bed.process import running
from bed.pushes import Pusher
from bed.registry import Registry
from bed.tap import Tap, tap
from dockless.errors import EngineError, SourceError
from dockless.oci.digest import Digest
from dockless.processes.programs import ProgramsHere
from dockless.sources.container_tools import ContainerTool
from dockless.sources.docker_daemon import DockerDaemon
from dockless.sources.local_images import LocalImage

pytestmark = pytest.mark.sampled(5)

SOURCE, ENGINE = 3, 7
FEW, SOME = 60, 2_000_000


@pytest.fixture(params=["old_docker", "new_docker", "containerd_docker"])
def daemon(request: pytest.FixtureRequest) -> Docker:
    found: Docker = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def tapped(old_docker: Docker) -> Iterator[Tap]:
    with tap(old_docker.socket) as relay:
        yield relay


def without_client(folder: Path, address: str) -> Dockless:
    return dockless(folder / "dockless", DOCKER_HOST=address, PATH=str(folder))


def both(daemon: Docker) -> tuple[ContainerTool, ContainerTool]:
    environment = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": daemon.address}
    programs = ProgramsHere(environment)
    return DockerDaemon(daemon.socket, programs), ContainerTool("docker", programs)


def known(daemon: Docker) -> list[tuple[str, ...]]:
    image_id = daemon.run("image", "inspect", "--format", "{{.Id}}", SAMPLE).strip()
    return [
        (SAMPLE,),
        (SAMPLE.partition(":")[0], SAMPLE),
        ("nothere:1", SAMPLE, "dockless-base:1"),
        (image_id.removeprefix("sha256:")[:12], SAMPLE),
        ("nothere:1", "127.0.0.1:5000/not/here:2"),
    ]


def test_the_daemon_finds_what_its_client_finds(daemon: Docker) -> None:
    ours, client = both(daemon)
    for names in known(daemon):
        assert ours.find(names) == client.find(names)
    whole = daemon.run("image", "inspect", "--format", "{{.Id}}", SAMPLE).strip()
    digits = whole.removeprefix("sha256:")
    for each in (digits, digits[:12], "0" * 12, "f" * 64):
        assert ours.find_id(each) == client.find_id(each)
    assert sorted(ours.names()) == sorted(client.names())
    assert SAMPLE in ours.names()


def saved(tool: ContainerTool) -> Mapping[str, bytes]:
    found = tool.find((SAMPLE,))
    assert found
    with tool.save(found) as stream:
        data = stream.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar if not member.isdir())
        return {name: content.read() for name, content in files if content}


def test_the_daemon_saves_what_its_client_saves(daemon: Docker) -> None:
    ours, client = both(daemon)
    assert saved(ours) == saved(client)
    assert "manifest.json" in saved(ours)


def test_no_client_is_needed(daemon: Docker, locked_registry: Registry, tmp_path: Path) -> None:
    pusher = Pusher(without_client(tmp_path, daemon.address), locked_registry, tmp_path)
    digest = pusher.push("daemon/clientless:1", SAMPLE)
    image = pushes.inspected(daemon.run("image", "inspect", SAMPLE))
    arrived, back = pusher.arrived("daemon/clientless:1")
    assert (arrived, back.diff_ids) == (digest, image.diff_ids)
    # the image's ID is its manifest's digest where the store is containerd's
    assert image.config in (back.config, digest)


def test_a_warm_push_saves_nothing(tapped: Tap, locked_registry: Registry, tmp_path: Path) -> None:
    pusher = Pusher(without_client(tmp_path, tapped.address), locked_registry, tmp_path)
    first = pusher.push("daemon/warm:1", SAMPLE)
    assert tapped.saves == 1
    assert pusher.push("daemon/warm:1", SAMPLE) == first
    assert pusher.push("daemon/warm-elsewhere:1", SAMPLE) == first
    assert tapped.saves == 1


def test_the_time_that_the_daemon_prepares_an_image_is_told(
    old_docker: Docker, registry: Registry, tmp_path: Path
) -> None:
    program = without_client(tmp_path, old_docker.address)
    target = ("--image", f"{registry.host}/daemon/timed:1", "--format", "json")
    cold, warm = (
        json.loads(program.run("push", SAMPLE, *target).stdout)["result"]["timings"]
        for _ in range(2)
    )
    assert 0 < cold["export"] <= cold["source"]
    assert "export" not in warm


def test_a_daemon_that_tidies_up_is_not_waited_for(
    tapped: Tap, registry: Registry, tmp_path: Path
) -> None:
    tapped.lingers = 30.0
    pusher = Pusher(without_client(tmp_path, tapped.address), registry, tmp_path)
    pusher.push("daemon/tidy:1", SAMPLE)
    until(lambda: tapped.left)


def test_podman_answers_in_place_of_docker(
    rootless: Account, registry: Registry, tmp_path: Path
) -> None:
    path = rootless.home / "run" / "docker.sock"
    argv = rootless.argv("podman", "system", "service", "--time=0", f"unix://{path}")
    with running(argv, tmp_path / "log"):
        until(path.is_socket)
        pusher = Pusher(without_client(tmp_path, f"unix://{path}"), registry, tmp_path)
        digest = pusher.push("daemon/podman:1", SAMPLE)
    image = pushes.inspected(rootless.run("podman", "image", "inspect", SAMPLE))
    assert pusher.arrived("daemon/podman:1") == (digest, image)


@pytest.mark.parametrize(("most", "code"), [(0, ENGINE), (FEW, SOURCE), (SOME, SOURCE)])
def test_a_daemon_that_breaks_off_is_an_error(
    tapped: Tap, registry: Registry, tmp_path: Path, most: int, code: int
) -> None:
    program = without_client(tmp_path, tapped.address)
    tapped.most = most
    target = f"{registry.host}/daemon/broken:1"
    said = complaint(program.run("push", SAMPLE, "--image", target), code)
    assert "docker" in said
    assert holdings(registry, "daemon/broken") == {}
    assert leftovers(program) == []


def test_something_else_at_the_socket_is_an_error(registry: Registry, tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def address_string(self) -> str:
            return "somebody"

    with ThreadingUnixStreamServer(str(tmp_path / "other.sock"), Other) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        program = without_client(tmp_path, f"unix://{server.server_address}")
        argv = ("push", SAMPLE, "--image", f"{registry.host}/daemon/other:1")
        said = complaint(program.run(*argv), SOURCE)
        server.shutdown()
    assert "other.sock is not Docker's daemon" in said


def test_a_socket_that_nobody_listens_at_is_an_error(tmp_path: Path) -> None:
    tool = DockerDaemon(tmp_path / "docker.sock", ProgramsHere({}))
    with pytest.raises(EngineError, match=r"docker\.sock"):
        tool.find((SAMPLE,))
    assert tool.names() == []


def test_an_image_that_vanishes_before_it_is_saved_is_an_error(daemon: Docker) -> None:
    tool, _ = both(daemon)
    gone = LocalImage(tool="docker", name="gone:1", image_id=Digest.of(b"gone"))
    with pytest.raises(
        SourceError, match=rf"'docker save' of gone:1 failed: .*{gone.image_id.hex}"
    ):
        tool.save(gone).__enter__()
