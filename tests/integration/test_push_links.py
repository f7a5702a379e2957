"""What an engine is given: second names of the staged files, or copies where there are no links."""

from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.failures import until
from bed.faults import Fault, FaultyRegistry, Hang
from bed.pushes import Pusher
from bed.registry import Registry

BY_DIGEST = "/manifests/sha256:"
SPARE = 100_000  # manifests, records, locks
NO_LINKS = """
import errno, os
link = os.link
def refusing(source, target, *more, **named):
    if os.path.dirname(source) != os.path.dirname(target):
        raise OSError(errno.EXDEV, "Invalid cross-device link", source, None, target)
    return link(source, target, *more, **named)
os.link = refusing
"""


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


def without_links(pusher: Pusher) -> Pusher:
    """Return the same, on a file system that refuses links across folders, as AFS does."""
    folder = pusher.folder / "python"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NO_LINKS)
    extra = {**pusher.program.extra, "PYTHONPATH": str(folder)}
    return replace(pusher, program=replace(pusher.program, extra=extra))


def held(folder: Path) -> int:
    """Return the bytes that a folder's files take, each once, whatever its names."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            found[status.st_dev, status.st_ino] = status.st_size
    return sum(found.values())


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_nothing_is_on_the_disk_twice_while_an_engine_pushes(
    pusher: Pusher, faulty_registry: FaultyRegistry, old_archive: Path, engine: str
) -> None:
    faulty_registry.faults.append(Fault("PUT", BY_DIGEST, Hang(), 100))
    target = f"{faulty_registry.host}/acme/app:1"
    argv = ("push", old_archive, "--image", target, "--engine", engine)
    cache = pusher.program.folder / "cache"
    with pusher.program.start(*argv) as child:
        until(lambda: any(BY_DIGEST in each.path for each in faulty_registry.requests
                          if each.method == "PUT"))  # fmt: skip
        blobs = sum(path.stat().st_size for path in cache.glob("dockless/*/blobs/*/*"))
        given = list(cache.glob("dockless/*/runs/*/push-*/**/*"))
        taken = held(cache)
        child.terminate()
        child.communicate(timeout=120)
    assert blobs > 10 * SPARE
    assert blobs <= taken <= blobs + SPARE
    assert given
    assert not [path for path in given if path.is_symlink()]
    assert not list(cache.glob("dockless/*/runs/*"))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ["auto", "crane", "skopeo", "direct"])
def test_where_links_are_refused_blobs_are_copied_and_timings_say_so(
    pusher: Pusher, old_archive: Path, engine: str
) -> None:
    without = without_links(pusher)
    done = without.run("acme/app:1", old_archive, "--engine", engine, "--timings")
    digest = without.digest_in(done, "acme/app:1")
    pusher.back("acme/app:1")
    steps = {line.split()[0] for line in done.stderr.splitlines() if line.split()}
    # what dockless sends by itself needs no layout, and so no copy
    assert ("copy" in steps) == (engine != "direct")
    assert without.push("acme/app:2", old_archive) == digest
    usual = replace(pusher, program=replace(pusher.program, folder=pusher.folder / "usual"))
    for name in ("home", "project", "tmp"):
        (usual.program.folder / name).mkdir(parents=True)
    linked = usual.run("acme/app:3", old_archive, "--engine", engine, "--timings")
    assert linked.code == 0, linked.stderr
    assert "copy" not in {line.split()[0] for line in linked.stderr.splitlines() if line.split()}


def test_a_prune_beside_a_push_leaves_what_it_uses(
    pusher: Pusher, faulty_registry: FaultyRegistry, old_archive: Path
) -> None:
    pusher.push("acme/first:1", old_archive)
    faulty_registry.faults.append(Fault("PUT", BY_DIGEST, Hang()))
    target = f"{faulty_registry.host}/acme/app:1"
    argv = ("push", old_archive, "--image", target, "--engine", "crane", "--stall-timeout", "2s")
    with pusher.program.start(*argv) as child:
        until(lambda: any(BY_DIGEST in each.path for each in faulty_registry.requests
                          if each.method == "PUT"))  # fmt: skip
        pruned = pusher.program.run("cache", "prune", "--all")
        _, said = child.communicate(timeout=120)
    assert pruned.stdout == "Freed 0 B\n", pruned.stderr
    assert child.returncode == 0, said
    assert pusher.digest("acme/app:1")
