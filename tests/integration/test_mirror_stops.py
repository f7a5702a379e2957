"""A mirror never stands still: images that wait for one another, signals, and the deadline."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import leftovers, until
from bed.faults import Fault, FaultyRegistry, Hang
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

_ALWAYS = 1_000
_HANGS = {
    "tag question": ("HEAD", "/manifests/v1$"),
    "blob question": ("HEAD", "/blobs/"),
    "upload begun": ("POST", "/blobs/uploads/"),
    "upload": ("PUT", "/blobs/uploads/"),
    "manifest": ("PUT", "/manifests/sha256:"),
    "tag": ("PUT", "/manifests/v1$"),
}


@pytest.fixture
def folder(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    """Three images that share layers, so that some wait for what another one sends."""
    for name, parts in (("web", layers[:2]), ("api", layers), ("job", layers[1:])):
        layout = images.Layout(tmp_path / "images" / name)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/{name}:v1")))
    return tmp_path / "images"


@pytest.mark.parametrize("times", [2, 3, 5])
def test_an_image_with_a_referrer_that_is_listed_several_times_arrives(
    program: Dockless,
    own_registry: Registry,
    layers: tuple[Layer, ...],
    tmp_path: Path,
    times: int,
) -> None:
    host = own_registry.host
    layout = images.Layout(tmp_path / "source")
    image = layout.image(layers[:1], "amd64", **images.named("x.io/a/app:v1"))
    layout.top(image, layout.referrer(image, b"an SBOM"))
    first = program.run("mirror", layout.folder, "--to", f"{host}/source")
    assert first.code == 0, first.stderr
    images.skopeo_copy(
        f"docker://{host}/source/a/app:v1",
        f"docker://{host}/source/a/app:v2",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
    )
    path = tmp_path / "list.txt"
    lines = [f"docker://{host}/source/a/app:v{number}\n" for number in (1, 2)]
    path.write_text("".join(lines * times))
    for run in range(4):
        shutil.rmtree(program.folder / "cache", ignore_errors=True)
        argv = ("mirror", "-f", path, "--to", f"{host}/m{run}", "--format", "json")
        done = program.run(*argv, timeout=60)
        assert done.code == 0, done.stderr
        pushed = [each["references"] for each in json.loads(done.stdout)["images"]]
        assert len(pushed) == 3, "both tags, and the referrer once"
        tags = (own_registry.storage / "docker/registry/v2/repositories").glob(
            f"m{run}/source/a/app/_manifests/tags/sha256-*/current/link"
        )
        assert len([*tags]) == 1, "the referrer is listed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("where", _HANGS)
def test_a_mirror_that_waits_for_a_registry_ends_with_a_signal(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    folder: Path,
    where: str,
    number: signal.Signals,
) -> None:
    method, path = _HANGS[where]
    faulty_registry.faults.append(Fault(method, path, Hang(), _ALWAYS))
    with program.start("mirror", folder, "--to", faulty_registry.host) as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests))
        child.send_signal(number)
        _, said = child.communicate(timeout=120)
    assert child.returncode == 128 + number, said.decode()
    assert b"Traceback" not in said
    assert program.run("cache", "prune").code == 0
    assert leftovers(program) == []


@pytest.mark.parametrize("engine", ["auto", "direct"])
@pytest.mark.parametrize("where", ["upload begun", "upload", "manifest"])
def test_a_push_that_waits_for_a_registry_ends_with_a_signal(
    program: Dockless, faulty_registry: FaultyRegistry, folder: Path, where: str, engine: str
) -> None:
    method, path = _HANGS[where]
    faulty_registry.faults.append(Fault(method, path, Hang(), _ALWAYS))
    argv = ("--image", f"{faulty_registry.host}/shop:v1", "--engine", engine)
    with program.start("push", folder / "api", *argv) as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests))
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=120)
    assert child.returncode == 143, said.decode()
    assert b"Traceback" not in said
    assert leftovers(program) == []


@pytest.mark.parametrize("where", ["blob question", "upload", "tag"])
def test_a_mirror_ends_with_its_deadline(
    program: Dockless, faulty_registry: FaultyRegistry, folder: Path, where: str
) -> None:
    method, path = _HANGS[where]
    faulty_registry.faults.append(Fault(method, path, Hang(), _ALWAYS))
    argv = ("mirror", folder, "--to", faulty_registry.host, "--timeout", "2s")
    done = program.run(*argv, timeout=50)
    assert done.code == 6, done.stderr


def test_a_mirror_at_a_slow_rate_ends_with_its_deadline(
    program: Dockless, own_registry: Registry, folder: Path
) -> None:
    argv = ("mirror", folder, "--to", own_registry.host, "--timeout", "2s", "--rate", "1k")
    done = program.run(*argv, timeout=50)
    assert done.code == 6, done.stderr
    assert "--timeout" in done.stderr


def test_a_reservation_of_a_damaged_image_keeps_nobody_waiting(
    program: Dockless, own_registry: Registry, folder: Path, tmp_path: Path
) -> None:
    blobs = sorted((folder / "api" / "blobs" / "sha256").iterdir(), key=_size)
    blobs[-1].unlink()
    done = program.run("mirror", folder, "--to", own_registry.host, timeout=60)
    assert done.code in {0, 8}, done.stderr
    assert Pusher(program, own_registry, tmp_path).digest("acme/web:v1")


def _size(path: Path) -> int:
    return path.stat().st_size
