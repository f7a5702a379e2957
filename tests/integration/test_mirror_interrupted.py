"""A mirror that is killed and run again: everything arrives, and nothing twice."""

import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import survivors, until
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry, docker_registry

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


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("seed", "moments"), [(5, 8), (6, 20)])
def test_killed_at_any_moment_a_mirror_goes_on_where_it_was(
    program: Dockless,
    own_registry: Registry,
    layers: tuple[Layer, ...],
    tmp_path: Path,
    seed: int,
    moments: int,
) -> None:
    made = family(tmp_path / "family", layers)
    pusher = Pusher(program, own_registry, tmp_path)
    argv = ("mirror", tmp_path / "family" / "layouts", "--to", own_registry.host)
    chance = random.Random(seed)  # noqa: S311 - the same moments every time
    for _ in range(moments):
        with program.start(*argv) as child:
            time.sleep(chance.uniform(0.1, 0.9))
            child.send_signal(signal.SIGKILL)
        # an engine that outlives its dockless for a moment is no other run's
        _wait_for_engines(program)
        # what it had sent to the end may still be on its way into the store
        until(lambda: not _being_served(own_registry))
        _assert_no_tag_is_wrong(pusher, made)
    done = program.run(*argv)
    assert done.code == 0, done.stderr
    for name, layout in made.items():
        assert pusher.digest(f"{name}:v1") in (layout / "index.json").read_text()
    committed = Counter(
        each.path.partition("digest=")[2]
        for each in own_registry.requests()
        if each.method == "PUT" and "/blobs/uploads/" in each.path and each.status == _CREATED
    )
    assert committed
    assert set(committed.values()) == {1}, "what had arrived anywhere was not sent again"


def test_a_mirror_outlives_its_registry(
    program: Dockless, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    made = family(tmp_path / "family", layers)
    home = tmp_path / "registry"
    home.mkdir()
    with docker_registry(home) as first:
        pass
    address = first.host
    argv = ("mirror", tmp_path / "family" / "layouts", "--to", address, "--retries", "8")
    with contextlib.ExitStack() as stack:
        with program.start(*argv) as child:
            assert child.stderr
            # the first interruption is sure; of the others a fast mirror sees fewer
            assert any(b"Retrying in" in line for line in child.stderr), "it was not interrupted"
            registry = stack.enter_context(docker_registry(home, address=address))
            for _ in range(4):
                time.sleep(0.4)
                stack.close()
                _drop_empty_manifests(home)
                time.sleep(0.2)
                registry = stack.enter_context(docker_registry(home, address=address))
                _assert_no_tag_is_wrong(Pusher(program, registry, tmp_path), made)
            _, said = child.communicate(timeout=120)
        assert child.returncode == 0, said.decode()
        pusher = Pusher(program, registry, tmp_path)
        for name, layout in made.items():
            assert pusher.digest(f"{name}:v1") in (layout / "index.json").read_text()


def _drop_empty_manifests(registry: Path) -> None:
    """Do what an operator must after docker-registry 2.8 was killed while it wrote a manifest.

    It believes that it has what is in an empty file, so no request of any client replaces it.
    """
    for data in (registry / "storage").glob("docker/registry/v2/blobs/sha256/*/*/data"):
        if not data.stat().st_size:
            shutil.rmtree(data.parent)


def _being_served(registry: Registry) -> int:
    """Return how many connections the registry has open at its own end."""
    port = int(registry.host.partition(":")[2])
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    open_ = {"01", "08"}  # established, and closed by the other end alone
    return sum(each[3] in open_ and int(each[1].partition(":")[2], 16) == port for each in fields)


def _wait_for_engines(program: Dockless) -> None:
    deadline = time.monotonic() + 120
    while survivors(program) and time.monotonic() < deadline:
        time.sleep(0.05)


def _assert_no_tag_is_wrong(pusher: Pusher, made: dict[str, Path]) -> None:
    for name, layout in made.items():
        tags = pusher.registry.storage.glob(
            f"docker/registry/v2/repositories/{name}/_manifests/tags/*/current/link"
        )
        for tag in tags:
            assert tag.read_text() in (layout / "index.json").read_text()
