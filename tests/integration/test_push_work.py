"""How much a push does, counted: bytes read and compressed, programs started, modules imported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bed import hostile
from bed.docker import Docker
from bed.dockless import Dockless
from bed.images import Layer
from bed.process import output
from bed.registry import Registry
from bed.tools import crane

_NAME = "team/work:1"
_COUNTING = """
import json, os, sys

started = []
def watch(event, arguments):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork"):
        started.append(repr(arguments[:2]))
sys.addaudithook(watch)

counts = {"read": 0, "compressed": 0}
if "count" in sys.argv[1]:
    from isal import isal_zlib
    from dockless.storage import streams

    class Counted:
        def __init__(self, *arguments, **options):
            self._real = real(*arguments, **options)
        def compress(self, data):
            counts["compressed"] += len(data)
            return self._real.compress(data)
        def flush(self, *arguments):
            return self._real.flush(*arguments)

    real, isal_zlib.compressobj = isal_zlib.compressobj, Counted
    read = streams.LengthChecked.read
    def metered(self, size=-1):
        data = read(self, size)
        counts["read"] += len(data)
        return data
    streams.LengthChecked.read = metered

del sys.argv[1]
from dockless.cli.main import main
try:
    main()
except SystemExit as end:
    counts |= {"code": end.code, "started": started, "modules": sorted(sys.modules)}
    print(json.dumps(counts), file=sys.stderr)
"""
_HEAVY = {
    "sh", "asyncio", "isal", "zstandard", "yaml", "paramiko", "tenacity", "rich", "dataclasses",
}  # fmt: skip
# what a push needs only for what it has to build, read as a stream, compress, write or refuse
_OF_OTHER_PUSHES = {
    f"dockless.{name}"
    for name in (
        "config.compose", "config.deploy_servers", "config.erb", "config.image_version",
        "config.plain", "config.server_list", "credentials.keyring_logins", "engines",
        "model.reasons", "sources.not_images", "sources.platform_choice", "sources.streamed_tar",
        "sources.streams", "storage.ahead_stream", "storage.compression", "storage.growing",
    )
}  # fmt: skip
# of the standard library and others; 14 came with msgspec, which takes an eighth off the time
_MOST_FOREIGN_MODULES = 257


class Work(NamedTuple):
    """What a push did.

    Attributes:
        read: Bytes of layers.
        compressed: Bytes that went into an encoder.
        started: What began a process, each time.
        modules: What was imported.
    """

    read: int
    compressed: int
    started: tuple[str, ...]
    modules: frozenset[str]


def pushed(program: Dockless, *arguments: str | Path, mode: str = "count") -> Work:
    """Push, which must succeed; return what that took."""
    done = subprocess.run(
        (sys.executable, "-c", _COUNTING, mode, "push", *arguments),
        env=program.environment(),
        cwd=program.project,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    counts = json.loads(done.stderr.splitlines()[-1])
    assert counts["code"] in (0, None), done.stderr.decode()
    return Work(
        counts["read"], counts["compressed"], tuple(counts["started"]), frozenset(counts["modules"])
    )


@pytest.fixture
def archive(layers: tuple[Layer, ...], tmp_path: Path) -> Path:
    parts = (hostile.file(f"{part.path.stem}/layer.tar", part.path.read_bytes()) for part in layers)
    path = tmp_path / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*parts)))
    return path


def test_a_first_push_reads_and_compresses_every_layer_once(
    program: Dockless, own_registry: Registry, archive: Path, layers: tuple[Layer, ...]
) -> None:
    work = pushed(program, archive, "--image", f"{own_registry.host}/{_NAME}")
    total = sum(layer.path.stat().st_size for layer in layers)
    assert work.compressed == total
    # each is padded in the archive to whole blocks; nothing is read for that
    assert work.read == total


def test_the_same_push_again_reads_nothing_and_starts_nothing(
    program: Dockless, own_registry: Registry, archive: Path
) -> None:
    target = ("--image", f"{own_registry.host}/{_NAME}")
    pushed(program, archive, *target)
    work = pushed(program, archive, *target)
    assert (work.read, work.compressed, work.started) == (0, 0, ())


def test_further_tags_of_what_is_there_start_nothing(
    program: Dockless, own_registry: Registry, archive: Path
) -> None:
    target = ("--image", f"{own_registry.host}/{_NAME}")
    pushed(program, archive, *target)
    work = pushed(program, archive, *target, "--tag", "1", "--tag", "2", "--tag", "3")
    assert (work.read, work.compressed, work.started) == (0, 0, ())
    digests = {
        output((crane(), "digest", f"{target[1].rpartition(':')[0]}:{n}")) for n in (1, 2, 3)
    }
    assert len(digests) == 1


def test_a_changed_layer_is_the_only_one_that_is_read(
    program: Dockless, own_registry: Registry, archive: Path, layers: tuple[Layer, ...]
) -> None:
    target = ("--image", f"{own_registry.host}/{_NAME}")
    pushed(program, archive, *target)
    changed = hostile.tar(hostile.file("note", b"changed\n"))
    parts = [*(each.path.read_bytes() for each in layers[:2]), changed]
    members = (hostile.file(f"{n}/layer.tar", data) for n, data in enumerate(parts))
    archive.write_bytes(hostile.tar(*hostile.image(*members)))
    work = pushed(program, archive, *target)
    assert (work.read, work.compressed) == (len(changed), len(changed))


def test_a_warm_push_imports_nothing_heavy_and_not_much(
    program: Dockless, own_registry: Registry, archive: Path
) -> None:
    target = ("--image", f"{own_registry.host}/{_NAME}")
    pushed(program, archive, *target)
    work = pushed(program, archive, *target, mode="plain")
    assert {name.partition(".")[0] for name in work.modules} & _HEAVY == set()
    assert work.modules & _OF_OTHER_PUSHES == set()
    foreign = {name for name in work.modules if name.partition(".")[0] != "dockless"}
    assert len(foreign) <= _MOST_FOREIGN_MODULES, "what does a push need that it did not before?"


def test_an_unchanged_image_of_a_daemon_is_not_exported(
    program: Dockless, own_registry: Registry, old_docker: Docker
) -> None:
    daemon = Dockless(program.folder, {**program.extra, "DOCKER_HOST": old_docker.address})
    argv = ("docker-daemon:sample:1", "--image", f"{own_registry.host}/{_NAME}")
    first = pushed(daemon, *argv)
    assert first.read
    work = pushed(daemon, *argv)
    assert (work.read, work.compressed, work.started) == (0, 0, ())
