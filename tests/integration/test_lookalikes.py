"""Local images whose names only end as the one that is asked for: podman and buildah find them."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.images import Layer
from bed.registry import Registry


@pytest.fixture
def beside(program: Dockless, layers: tuple[Layer, ...], tmp_path: Path) -> Dockless:
    """Dockless before a podman that has one image, of another registry."""
    storage = tmp_path / "storage"
    config = tmp_path / "storage.conf"
    lines = (
        "[storage]",
        'driver = "vfs"',
        f'graphroot = "{storage}/g"',
        f'runroot = "{storage}/r"',
    )
    config.write_text("\n".join(lines))
    layout = images.Layout(tmp_path / "layout")
    layout.top(layout.image(layers[:1], **images.named("quay.example.com/evilteam/shop:9")))
    archive = images.archive(layout.folder, tmp_path / "shop.tar")
    program = replace(program, extra={**program.extra, "CONTAINERS_STORAGE_CONF": str(config)})
    argv = ("podman", "load", "--quiet", "--input", str(archive))
    subprocess.run(argv, env=program.environment(), check=True, capture_output=True, timeout=120)
    return program


@pytest.mark.parametrize("source", [(), ("shop:9",), ("evilteam/shop:9",)])
def test_an_image_of_another_registry_is_not_pushed(
    beside: Dockless, own_registry: Registry, source: tuple[str, ...]
) -> None:
    done = beside.run("push", *source, "--image", f"{own_registry.host}/acme/shop:9")
    assert done.code == 3, done.stderr
    assert not [each for each in own_registry.requests() if each.method == "PUT"]
    assert "quay.example.com/evilteam/shop:9" in done.stderr


def test_an_image_is_pushed_by_its_whole_name(beside: Dockless, own_registry: Registry) -> None:
    source = "quay.example.com/evilteam/shop:9"
    done = beside.run("push", source, "--image", f"{own_registry.host}/acme/shop:9")
    assert done.code == 0, done.stderr
