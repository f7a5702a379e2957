"""The store is pruned while a bundle is being made: the bundle is whole all the same."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bed import hostile, images
from bed.dockless import Dockless
from bed.failures import leftovers, store_of, until
from bed.faults import Answer, Change, Fault, FaultyRegistry
from bed.images import Layer

pytestmark = pytest.mark.sampled(11)

_ALWAYS = 1_000
_MEGABYTE = 1_000_000
MOMENTS = {
    "when the registry is greeted": ("GET", "/v2/$"),
    "when the manifest is read": ("GET", "/manifests/"),
    "when a blob is read": ("GET", "/blobs/"),
}


def blobs_of(program: Dockless) -> list[Path]:
    """Return the blobs that are in the store."""
    return [*(store_of(program) / "blobs").glob("*/*")]


class Pruning:
    """Prunes the whole store when a registry is asked, and lets it answer only after that."""

    def __init__(self, program: Dockless, how: Callable[[Dockless], None]) -> None:
        self.times = 0
        self._program = program
        self._how = how

    def __call__(self, answer: Answer) -> Answer:
        self._how(self._program)
        self.times += 1
        return answer


def prune(program: Dockless) -> None:
    done = program.run("cache", "prune", "--all")
    assert done.code == 0, done.stderr


def remove_blobs(program: Dockless) -> None:
    for path in blobs_of(program):
        path.unlink(missing_ok=True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of two layers that hardly shrink, each larger than what is read at once."""
    noise = (
        hostile.tar(hostile.file(f"noise{number}", os.urandom(3 * _MEGABYTE))) for number in (1, 2)
    )
    parts = (hostile.file(f"{number}/layer.tar", data) for number, data in enumerate(noise))
    path = tmp_path / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*parts)))
    return path


def whole(program: Dockless, out: Path, count: int) -> None:
    checked = program.run("bundle", "verify", out)
    assert checked.code == 0, checked.stderr
    wrong = [
        path.name
        for path in (out / "blobs/sha256").iterdir()
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    ]
    assert wrong == []
    assert len(program.run("bundle", "list", out).stdout.splitlines()) == 1 + count
    assert leftovers(program) == []


@pytest.mark.parametrize("how", [prune, remove_blobs])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("first", ["archive", "registry"])
def test_a_bundle_is_whole_though_the_store_is_pruned_beside_it(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    archive: Path,
    layers: tuple[Layer, ...],
    tmp_path: Path,
    first: str,
    moment: tuple[str, str],
    how: Callable[[Dockless], None],
) -> None:
    layout = images.Layout(tmp_path / "layout")
    layout.top(layout.image(layers[:2], **images.named("acme/web:v1")))
    host = faulty_registry.host
    assert program.run("mirror", layout.folder, "--to", host).code == 0
    warm = tmp_path / "warm"
    argv = (archive, "--as", "acme/app:v1")
    assert program.run("bundle", "create", "-o", warm, *argv).code == 0
    assert blobs_of(program), "the store has layers of the archive"
    pruning = Pruning(program, how)
    faulty_registry.faults.append(Fault(*moment, Change(pruning), _ALWAYS))
    sources: tuple[str | Path, ...] = (archive, f"docker://{host}/acme/web:v1")
    if first == "registry":
        sources = sources[::-1]
    out = tmp_path / "disk"
    done = program.run("bundle", "create", "-o", out, *sources, "--as", "acme/app:v1")
    assert done.code == 0, done.stderr
    assert pruning.times
    whole(program, out, 2)


def test_a_bundle_of_what_comes_as_a_stream_is_whole_though_the_store_is_pruned_meanwhile(
    program: Dockless, archive: Path, tmp_path: Path
) -> None:
    pipe, out = tmp_path / "pipe.tar", tmp_path / "disk"
    os.mkfifo(pipe)
    data = archive.read_bytes()
    with program.start("bundle", "create", "-o", out, pipe, "--as", "acme/app:v1") as child:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(data[: 5 * _MEGABYTE])  # the first layer, and a part of the second
            until(lambda: blobs_of(program) or child.poll() is not None)
            prune(program)
            remove_blobs(program)  # what it left
            stream.write(data[5 * _MEGABYTE :])
        _, said = child.communicate(timeout=120)
    assert child.returncode == 0, said.decode()
    whole(program, out, 1)
