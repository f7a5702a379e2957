"""A mirror that is killed and run again: everything arrives, and nothing twice."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

from bed import images
from bed.dockless import Dockless
from bed.failures import survivors
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry

_MOMENTS = 20
_CREATED = 201


def family(folder: Path, layers: tuple[Layer, ...]) -> dict[str, Path]:
    """Make a dozen images that share layers; return each layout by its repository."""
    made = {}
    for number in range(12):
        tree = folder / f"own-{number}"
        tree.mkdir(parents=True)
        (tree / "number").write_text(f"{number}\n" * 50_000)
        own = images.layer(folder / f"own-{number}.tar", ["number"], tree)
        name = f"acme/app{number}"
        layout = images.Layout(folder / "layouts" / f"app{number}")
        layout.top(layout.image((*layers, own), "amd64", **images.named(f"ghcr.io/{name}:v1")))
        made[name] = layout.folder
    return made


def test_killed_at_any_moment_a_mirror_goes_on_where_it_was(
    program: Dockless, own_registry: Registry, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    made = family(tmp_path / "family", layers)
    pusher = Pusher(program, own_registry, tmp_path)
    argv = ("mirror", tmp_path / "family" / "layouts", "--to", own_registry.host)
    chance = random.Random(5)  # noqa: S311 - the same moments every time
    for _ in range(_MOMENTS):
        with program.start(*argv) as child:
            time.sleep(chance.uniform(0.1, 0.9))
            child.send_signal(signal.SIGKILL)
        # an engine that outlives its dockless for a moment is no other run's
        _wait_for_engines(program)
        _assert_no_tag_is_wrong(pusher, made)
    done = program.run(*argv)
    assert done.code == 0, done.stderr
    for name, layout in made.items():
        assert pusher.digest(f"{name}:v1") in (layout / "index.json").read_text()
    committed = Counter(
        each.path.partition("/blobs/")[0] + each.path.partition("digest=")[2]
        for each in own_registry.requests()
        if each.method == "PUT" and "/blobs/uploads/" in each.path and each.status == _CREATED
    )
    assert committed
    assert set(committed.values()) == {1}, "what had arrived was not sent again"


def _wait_for_engines(program: Dockless) -> None:
    deadline = time.monotonic() + 10
    while survivors(program) and time.monotonic() < deadline:
        time.sleep(0.05)


def _assert_no_tag_is_wrong(pusher: Pusher, made: dict[str, Path]) -> None:
    for name, layout in made.items():
        tags = pusher.registry.storage.glob(
            f"docker/registry/v2/repositories/{name}/_manifests/tags/*/current/link"
        )
        for tag in tags:
            assert tag.read_text() in (layout / "index.json").read_text()
