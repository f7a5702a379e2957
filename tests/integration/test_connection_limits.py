"""A proxy with limits in front of a registry: on requests at once, and on their bodies."""

import os
import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.failures import complaint
from bed.images import Layer, Layout, digest, named
from bed.nginx import limiting_nginx
from bed.registry import Registry, crane_registry

LAYERS = 24
_LINE = re.compile(r'"(?P<what>[A-Z]+ \S+) HTTP/1.1" (?P<status>\d{3}) ')


@pytest.fixture(scope="module")
def layers_of_noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, ...]:
    """Return layers that are small, each of 40 kB."""
    folder = tmp_path_factory.mktemp("noise")
    return tuple(_noise(folder / str(number), 40_000) for number in range(LAYERS))


def _noise(path: Path, size: int) -> Layer:
    path.with_suffix(".bin").write_bytes(os.urandom(size))
    with tarfile.open(path, "w") as tar:
        tar.add(path.with_suffix(".bin"), path.name)
    return Layer(path, digest(path.read_bytes()))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("engine", ["auto", "direct"])
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize(("most", "status"), [(2, 503), (1, 429), (3, 503)])
def test_a_limit_on_requests_is_kept_to_and_nothing_is_asked_twice(
    program: Dockless,
    tmp_path: Path,
    layers_of_noise: tuple[Layer, ...],
    engine: str,
    most: int,
    status: int,
    *,
    compressed: bool,
) -> None:
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image(layers_of_noise, compressed=compressed, **named("1")))
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        crane_registry(tmp_path) as registry,
        limiting_nginx(folder, registry.host, most=most, status=status) as host,
    ):
        options = ("--image", f"{host}/a/b:1", "--engine", engine, "--retries", "1")
        done = program.run("push", layout.folder, *options)
        assert done.code == 0, done.stderr
    found = [(each["what"], int(each["status"])) for each in _LINE.finditer(_log(folder))]
    refused = [each for each in found if each[1] == status]
    assert len(refused) <= 16, refused
    asked = Counter(what for what, code in found if what.startswith("HEAD") and code == 404)
    blobs = {what: times for what, times in asked.items() if "/blobs/" in what}
    assert blobs
    # of a layer that is compressed meanwhile, both its upload and the plan may ask at one moment
    assert max(blobs.values()) <= (1 if compressed else 2), blobs


@pytest.mark.parametrize("most", [1, 2])
def test_a_limit_that_is_known_beforehand_is_never_met(
    program: Dockless, tmp_path: Path, layers_of_noise: tuple[Layer, ...], most: int
) -> None:
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image(layers_of_noise, compressed=False, **named("1")))
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        crane_registry(tmp_path) as registry,
        limiting_nginx(folder, registry.host, most=most) as host,
    ):
        options = ("--image", f"{host}/a/b:1", "--max-connections", str(most), "--retries", "0")
        done = program.run("push", layout.folder, *options)
        assert done.code == 0, done.stderr
    assert not [each for each in _LINE.finditer(_log(folder)) if each["status"] == "503"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("parallel", [1, 4, 64])
def test_a_mirror_keeps_to_one_connection(
    program: Dockless, tmp_path: Path, layers_of_noise: tuple[Layer, ...], parallel: int
) -> None:
    sources = []
    for number in range(4):
        layout = Layout(tmp_path / f"layout{number}")
        some = layers_of_noise[: number + 2]  # most of which they share, so that they wait
        layout.top(layout.image(some, compressed=bool(number % 2), **named("1")))
        sources.append(layout.folder)
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        crane_registry(tmp_path) as registry,
        limiting_nginx(folder, registry.host, most=1) as host,
    ):
        limits = ("--max-connections", "1", "--parallel", str(parallel), "--retries", "0")
        done = program.run("mirror", *sources, "--to", host, *limits, "--timeout", "100s")
        assert done.code == 0, done.stderr
    assert not [each for each in _LINE.finditer(_log(folder)) if each["status"] == "503"]


@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_a_limit_on_bodies_names_the_proxy_s_limit(
    program: Dockless, tmp_path: Path, own_registry: Registry, engine: str
) -> None:
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image([_noise(tmp_path / "big", 3_000_000)], **named("1")))
    with limiting_nginx(tmp_path, own_registry.host, body="1m") as host:
        options = ("--image", f"{host}/a/b:1", "--engine", engine, "--retries", "2")
        done = program.run("push", layout.folder, *options)
    said = complaint(done, 1)
    assert "client_max_body_size" in said
    assert "Retrying" not in done.stderr


@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_the_speed_of_a_push_has_a_limit(
    program: Dockless, tmp_path: Path, own_registry: Registry, engine: str
) -> None:
    layout = Layout(tmp_path / "layout")
    layout.top(layout.image([_noise(tmp_path / "layer", 400_000)], **named("1")))
    image = ("--image", f"{own_registry.host}/a/b:1", "--engine", engine)
    slowly = program.run("push", layout.folder, *image, "--rate", "1k", "--timeout", "3s")
    assert "--timeout" in complaint(slowly, 6)
    assert program.run("push", layout.folder, *image, "--rate", "1G").code == 0


def _log(folder: Path) -> str:
    return (folder / "access.log").read_text()
