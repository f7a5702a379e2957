"""Pushes that are ended from outside, at any moment, and pushes that run at once."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bed import hostile
from bed.dockless import Dockless
from bed.failures import PATIENCE, leftovers, published, store_of, survivors, tags, until
from bed.faults import Fault, FaultyRegistry, Hang, nothing_ahead, status
from bed.images import Layer
from bed.process import output
from bed.registry import Registry
from bed.renames import renames_into
from bed.tools import crane
from dockless.storage.blob_store import BlobStore

pytestmark = pytest.mark.sampled(5)

NAME = "team/app"
ALWAYS = 100_000
KILLS = 10


@dataclass(frozen=True, slots=True)
class Ending:
    """What a push is told to end with, and how it has to end then."""

    number: signal.Signals
    code: int
    said: str


ENDINGS = pytest.mark.parametrize(
    "ending",
    [
        Ending(signal.SIGINT, 130, "Interrupted."),
        Ending(signal.SIGTERM, 143, "Terminated."),
        Ending(signal.SIGHUP, 143, "Terminated."),
    ],
    ids=["ctrl-c", "sigterm", "sighup"],
)
ENGINES = pytest.mark.parametrize("engine", ["crane", "skopeo"])


def archive_of(path: Path, parts: Sequence[Layer]) -> Path:
    """Write a docker-archive of these layers."""
    members = (
        hostile.file(f"{part.path.stem}/layer.tar", part.path.read_bytes()) for part in parts
    )
    path.write_bytes(hostile.tar(*hostile.image(*members)))
    return path


@pytest.fixture
def packed(packed: Path, faulty_registry: FaultyRegistry) -> Path:
    """An OCI archive of which nothing goes ahead, so that the engine sends all of it."""
    faulty_registry.faults.append(nothing_ahead())
    return packed


@pytest.fixture(scope="module")
def archive(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive_of(tmp_path_factory.mktemp("interrupted") / "image.tar", layers)


def ended(child: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Wait for the end; return the exit status, stdout and stderr."""
    stdout, stderr = child.communicate(timeout=PATIENCE)
    return child.returncode, stdout.decode(), stderr.decode()


class Scene:
    """Pushes through the proxy, and ends them."""

    def __init__(self, proxy: FaultyRegistry, registry: Registry, program: Dockless) -> None:
        self.program = program
        self.target = f"{proxy.host}/{NAME}:1"
        self._proxy = proxy
        self._registry = registry

    def start(self, source: Path, *options: str) -> subprocess.Popen[bytes]:
        """Start a push to the tag `1` of the one repository."""
        return self.program.start("push", source, "--image", self.target, *options)

    def start_and_hang(self, source: Path, *options: str) -> subprocess.Popen[bytes]:
        """Start a push, and return when it hangs in the upload of a blob."""
        self.hang()
        child = self.start(source, *options)
        self.until_it_hangs()
        return child

    def hang(self) -> None:
        """Let every upload hang."""
        self._proxy.faults.append(Fault("PATCH", "/blobs/uploads/", Hang(), ALWAYS))

    def until_it_hangs(self) -> None:
        """Wait for an upload that hangs."""
        until(lambda: any(seen.method == "PATCH" for seen in self._proxy.requests))

    def keep_waiting(self) -> Fault:
        """Let the registry ask for an hour of patience."""
        busy = Fault("HEAD", "/manifests/", status(429, retry_after=3600), ALWAYS)
        self._proxy.faults.append(busy)
        return busy

    def do_not_answer(self, question: str) -> Fault:
        """Let the registry answer no such HEAD."""
        silent = Fault("HEAD", question, Hang(), ALWAYS)
        self._proxy.faults.append(silent)
        return silent

    def end(self, child: subprocess.Popen[bytes], ending: Ending) -> None:
        """Tell a push to end, and see that it does so, says so and leaves nothing behind."""
        child.send_signal(ending.number)
        code, stdout, stderr = ended(child)
        assert (code, stdout) == (ending.code, ""), stderr
        assert stderr.splitlines()[-1].startswith(ending.said)
        assert "Error: " not in stderr
        assert "Traceback" not in stderr
        self.nothing_is_left()

    def nothing_is_left(self) -> None:
        """See that no process and no file is left, and that nothing was published."""
        assert survivors(self.program) == []
        assert leftovers(self.program) == []
        assert published(self._registry, NAME) == set()


@pytest.fixture
def scene(faulty_registry: FaultyRegistry, own_registry: Registry, program: Dockless) -> Scene:
    return Scene(faulty_registry, own_registry, program)


@contextlib.contextmanager
def half_an_archive(archive: Path, fifo: Path) -> Iterator[Callable[[], None]]:
    """Make a pipe; yield what writes half of an archive into it, and leaves it open."""
    os.mkfifo(fifo)
    with contextlib.ExitStack() as opened:

        def write() -> None:
            data = archive.read_bytes()
            pipe = opened.enter_context(fifo.open("wb", buffering=0))
            pipe.write(data[: len(data) // 2])

        yield write


@ENDINGS
def test_a_push_that_is_staging_ends_when_told(
    scene: Scene, archive: Path, tmp_path: Path, ending: Ending
) -> None:
    fifo = tmp_path / "pipe.tar"
    with half_an_archive(archive, fifo) as write:
        child = scene.start(fifo)
        write()
        scene.end(child, ending)


@ENDINGS
def test_a_push_that_waits_for_standard_input_ends_when_told(
    scene: Scene, archive: Path, tmp_path: Path, ending: Ending
) -> None:
    fifo = tmp_path / "pipe"
    scene.program = replace(scene.program, before=("sh", "-c", f'exec "$0" "$@" <{fifo}'))
    with half_an_archive(archive, fifo) as write:
        child = scene.start(Path("-"))
        write()
        scene.end(child, ending)


@ENDINGS
@ENGINES
def test_a_push_that_is_uploading_ends_with_its_engine_when_told(
    scene: Scene, packed: Path, engine: str, ending: Ending
) -> None:
    child = scene.start_and_hang(packed, "--engine", engine)
    assert len(survivors(scene.program)) > 1
    scene.end(child, ending)


@ENDINGS
def test_a_push_whose_layers_went_ahead_ends_when_told(
    scene: Scene, archive: Path, ending: Ending
) -> None:
    scene.end(scene.start_and_hang(archive), ending)


@ENDINGS
def test_a_push_that_waits_for_the_registry_ends_when_told(
    scene: Scene, archive: Path, ending: Ending
) -> None:
    busy = scene.keep_waiting()
    child = scene.start(archive)
    until(lambda: busy.times < ALWAYS)
    scene.end(child, ending)


@ENDINGS
@pytest.mark.parametrize("question", ["/manifests/1$", "/blobs/sha256:"])
def test_a_push_whose_question_is_not_answered_ends_when_told(
    scene: Scene, packed: Path, ending: Ending, question: str
) -> None:
    unanswered = scene.do_not_answer(question)
    child = scene.start(packed)
    until(lambda: unanswered.times < ALWAYS)
    scene.end(child, ending)


def test_ctrl_c_at_a_terminal_ends_a_push_and_its_engine(scene: Scene, packed: Path) -> None:
    scene.hang()
    with scene.program.terminal("push", packed, "--image", scene.target) as terminal:
        scene.until_it_hangs()
        terminal.screen.send("\x03")
        code, shown = terminal.finish()
    assert code == 130
    assert "Interrupted." in shown
    assert "Traceback" not in shown
    scene.nothing_is_left()


def validate(registry: Registry, name: str) -> None:
    """Pull all that `repository:tag` names, and compare every digest."""
    argv = (crane(), "validate", "--remote", f"{registry.host}/{name}")
    output(argv, environment=registry.crane_environment())


@pytest.mark.sampled(7)
@pytest.mark.parametrize("seed", [20_260_101, 20_260_102, 20_260_103])
def test_a_push_killed_at_any_moment_leaves_no_incomplete_image(
    program: Dockless, own_registry: Registry, archive: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments to kill at, not secrets
    began = time.monotonic()
    assert program.run("push", archive, "--image", f"{own_registry.host}/{NAME}:1").code == 0
    whole = time.monotonic() - began
    killed = 0
    for number in range(KILLS):
        if chance.random() < 1 / 2:
            for kind in ("blobs", "layers", "heads"):
                shutil.rmtree(store_of(program) / kind, ignore_errors=True)
        # a repository of its own has no blob yet
        repository = f"{NAME}-{number}"
        child = program.start("push", archive, "--image", f"{own_registry.host}/{repository}:1")
        time.sleep(chance.uniform(0, whole))
        killed += child.poll() is None
        child.kill()
        child.communicate()
        until(lambda: not survivors(program))
        for tag in tags(own_registry, repository):
            validate(own_registry, f"{repository}:{tag}")
    assert killed
    minutes_ago = time.time() - 600
    for run in store_of(program).glob("runs/*"):
        os.utime(run, (minutes_ago, minutes_ago))
    target = f"{NAME}-{KILLS - 1}:1"
    assert program.run("push", archive, "--image", f"{own_registry.host}/{target}").code == 0
    validate(own_registry, target)
    assert leftovers(program) == []


def waiting(children: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Whether every one of these processes waits for a lock on a file."""
    blocked = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    pids = {fields[5] for fields in blocked if fields[1] == "->"}
    return {str(child.pid) for child in children} <= pids


def push_at_once(program: Dockless, *pushes: tuple[Path, str]) -> dict[str, int]:
    """Push archives to references, all with one store, so that they meet at their first layer.

    Returns:
        How often each layer was compressed: the store remembers each when that is done.
    """
    store = BlobStore(store_of(program))
    records = store.folder / "layers"
    records.mkdir(parents=True)
    with renames_into(records) as count:
        with contextlib.ExitStack() as held:
            for number in range(256):
                held.enter_context(store.exclusive(f"{number:02x}"))
            children = [
                program.start("push", source, "--image", reference) for source, reference in pushes
            ]
            until(lambda: waiting(children))
        for child in children:
            code, _, stderr = ended(child)
            assert code == 0, stderr
        return dict(count())


def compressed(*parts: Layer) -> dict[str, int]:
    """Return what `push_at_once` returns when each of these layers is compressed once."""
    return {f"{part.diff_id.removeprefix('sha256:')}.gzip": 1 for part in parts}


def test_two_pushes_of_one_image_at_once_compress_each_layer_once(
    program: Dockless, own_registry: Registry, archive: Path, layers: tuple[Layer, ...]
) -> None:
    target = f"{own_registry.host}/{NAME}:1"
    assert push_at_once(program, (archive, target), (archive, target)) == compressed(*layers)
    validate(own_registry, f"{NAME}:1")
    assert leftovers(program) == []


def test_two_pushes_at_once_of_images_that_share_a_layer_compress_it_once(
    program: Dockless, own_registry: Registry, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    # the largest layer is staged first, and it is the one they share
    shared, one, other = sorted(layers, key=lambda part: -part.path.stat().st_size)
    first = archive_of(tmp_path / "first.tar", [shared, one])
    second = archive_of(tmp_path / "second.tar", [other, shared])
    targets = [(first, f"{own_registry.host}/{NAME}:1"), (second, f"{own_registry.host}/{NAME}:2")]
    assert push_at_once(program, *targets) == compressed(*layers)
    validate(own_registry, f"{NAME}:1")
    validate(own_registry, f"{NAME}:2")
    assert leftovers(program) == []
