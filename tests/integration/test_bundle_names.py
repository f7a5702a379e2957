"""The images of a bundle have the same names at the target, whichever command pushes them."""

import shutil
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("form", ["folder", "tar"])
def test_a_push_of_all_has_the_names_of_a_mirror(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path, form: str, *, damaged: bool
) -> None:
    names = ("v1", "docker.io/library/nginx:1", "docker.io/redis:7", "nginx:2", "a/b:v1")
    for number, name in enumerate((*names, "ghcr.io/shop:v1")):
        layout = images.Layout(tmp_path / "sources" / f"s{number}")
        layout.top(layout.image(layers[: number % 3 + 1], "amd64", **images.named(name)))
    bundle = tmp_path / ("disk.tar" if form == "tar" else "disk")
    made = pusher.program.run("bundle", "create", "-o", bundle, tmp_path / "sources")
    assert made.code == 0, made.stderr
    if damaged:
        bundle = without_lock(bundle, tmp_path / "damaged")
    sent = pusher.program.run("mirror", bundle, "--to", f"{pusher.registry.host}/{form}/m")
    assert (sent.code != 0) == damaged, sent.stderr
    done = pusher.program.run("push", bundle, "--all", "--to", f"{pusher.registry.host}/{form}/p")
    assert done.code == 0, done.stderr
    assert ("Its images go by their full names." in done.stderr) == damaged
    mirrored, pushed = (tags_below(pusher, f"{form}/{kind}") for kind in "mp")
    assert mirrored == pushed
    assert ("s0" in pushed) != damaged


def without_lock(bundle: Path, folder: Path) -> Path:
    """Return a copy of a bundle, as a folder, whose lock file is cut off."""
    if bundle.is_dir():
        shutil.copytree(bundle, folder)
    else:
        shutil.unpack_archive(bundle, folder)
    (folder / "bundle.lock.json").write_text('{"lockVersion": 1')
    return folder


def tags_below(pusher: Pusher, prefix: str) -> dict[str, list[str]]:
    """Return the tags of each repository whose name begins so, by the rest of that name."""
    top = pusher.registry.storage / "docker/registry/v2/repositories" / prefix
    found: dict[str, list[str]] = {}
    for tag in sorted(top.glob("**/_manifests/tags/*")):
        found.setdefault(tag.parents[2].relative_to(top).as_posix(), []).append(tag.name)
    return found
