"""A store of an older version: nothing that is in it is compressed again."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from bed import hostile
from bed.dockless import Dockless
from bed.encoders import counted
from bed.place import HOST, REFUSING, Place
from bed.pushes import Pusher, archive_identity

ARCHIVE = "images/shop.tar"
KINDS = ("gzip", "zstd")


def expected(wrote: Path) -> dict[str, Any]:
    """Return what the version itself said."""
    found: dict[str, Any] = json.loads((wrote / "expected.json").read_text())
    return found


def push(there: Place, program: Dockless, name: str, kind: str, archive: str = ARCHIVE) -> str:
    """Push, which must succeed; return the digest."""
    argv = ("--image", f"{HOST}/{name}", *there.trust, "--compression", kind)
    done = program.run("push", archive, *argv)
    assert done.code == 0, done.stderr
    return done.stdout.strip().partition("@")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_compressed_again(
    there: Place, ours: Dockless, wrote: Path, kind: str, tmp_path: Path
) -> None:
    program, made = counted(ours, tmp_path / "count")
    assert push(there, program, "a/shop:1", kind) == expected(wrote)["pushed"][kind]
    assert made() == []
    pusher = Pusher(ours, there.registry, tmp_path)
    archive = there.program.project / ARCHIVE
    assert pusher.as_it_is("a/shop:1") == archive_identity(archive)
    layers = json.loads(pusher.manifest("a/shop:1"))["layers"]
    held = {path.name for path in (wrote / "store/blobs/sha256").iterdir()}
    assert {layer["digest"].partition(":")[2] for layer in layers} <= held
    shutil.rmtree(there.store)
    push(there, program, "b/shop:1", kind)
    assert made(), "without the store there would have been something to compress, and it counts"


def test_layers_of_a_packed_archive_are_known_by_their_heads(
    there: Place, ours: Dockless, wrote: Path, tmp_path: Path
) -> None:
    plain = there.program.project / ARCHIVE
    packed = plain.with_name("shop.tar.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    program, made = counted(ours, tmp_path / "count")
    digest = push(there, program, "a/shop:1", "gzip", "images/shop.tar.gz")
    assert digest == expected(wrote)["pushed"]["gzip"]
    assert made() == []


def test_what_is_known_of_layers_is_seen_again_once_and_is_then_enough(
    there: Place, ours: Dockless, wrote: Path, tmp_path: Path
) -> None:
    # nothing shows that a record of version 0.1.0 is about its layer, but for the blob
    push(there, ours, "a/shop:1", "zstd")
    for number, older in enumerate((True, False)):
        for folder in ("blobs", "unflushed", "heads"):
            shutil.rmtree(there.store / folder)
        if older:
            shutil.copytree(wrote / "store/layers", there.store / "layers", dirs_exist_ok=True)
        program, made = counted(ours, tmp_path / f"count-{number}")
        digest = push(there, program, f"a/shop:{number + 2}", "zstd")
        assert digest == expected(wrote)["pushed"]["zstd"]
        assert bool(made()) == older


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_records_that_were_swapped_never_push_another_layer(
    there: Place,
    ours: Dockless,
    tmp_path: Path,
    kind: str,
    kept: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    found = sorted((there.store_as_found / "layers").glob(f"*.{kind}"))[-2:]  # the archive's
    first, second = (path.read_bytes() for path in found)
    for number in range(1 + (not kept)):  # the second time the registry has both layers
        for path, data in zip(found, (second, first), strict=True):
            place = path if path.parent.exists() else there.store / "layers" / path.name
            place.write_bytes(data)
        if not kept:
            for folder in (there.store_as_found, there.store):
                shutil.rmtree(folder / "blobs", ignore_errors=True)
        push(there, ours, f"a/shop:{number}", kind)
        pusher = Pusher(ours, there.registry, tmp_path)
        archive = there.program.project / ARCHIVE
        assert pusher.as_it_is(f"a/shop:{number}") == archive_identity(archive)


def test_a_blob_that_was_not_on_the_disk_when_the_machine_stopped_is_found_out(
    there: Place, ours: Dockless, tmp_path: Path
) -> None:
    held = there.store_as_found / "blobs" / "sha256"
    found = (there.store_as_found / "unflushed").iterdir()
    marks = {path.name.rpartition(".")[2] for path in found}
    assert {path.name for path in held.iterdir()} <= marks, "each has its mark"
    lost = max(held.iterdir(), key=lambda path: path.stat().st_size)
    lost.write_bytes(bytes(lost.stat().st_size))
    for number, kind in enumerate(KINDS):
        push(there, ours, f"a/shop:{number}", kind)
        archive = there.program.project / ARCHIVE
        pusher = Pusher(ours, there.registry, tmp_path)
        assert pusher.as_it_is(f"a/shop:{number}") == archive_identity(archive)
    old = f"00000000-0000-4000-8000-000000000001.sha256.{lost.name}"
    assert not (there.store / "unflushed" / old).exists(), "the mark has served"


def test_what_is_known_of_the_way_to_a_registry_chooses_the_compression(
    there: Place, ours: Dockless
) -> None:
    there.ways[f"{REFUSING}:443"] = there.open.host
    layer = hostile.file("1/layer.tar", hostile.LAYER)
    (there.program.project / "new.tar").write_bytes(hostile.tar(*hostile.image(layer)))
    said = {}
    for host in (HOST, REFUSING, "open.example"):
        argv = ("push", "new.tar", "--image", f"{host}/a/new:1", *there.trust)
        done = ours.run(*argv, "--compression", "auto", "--dry-run", "--format", "json")
        assert done.code == 0, done.stderr
        said[host] = json.loads(done.stdout)["plan"]["compression"]
    rate = json.loads((there.store / "links" / f"{HOST}.json").read_text())["rate"]
    assert f"{rate / 1_000_000:.3g} MB/s" in json.dumps(said[HOST])
    assert said[REFUSING]["format"] == "gzip", "it is known to take no zstd"
    assert said["open.example"]["format"] == "zstd", "nothing is known of it"


def test_it_is_measured_and_emptied(ours: Dockless, wrote: Path, there: Place) -> None:
    def counted_in(lines: list[str]) -> list[str]:
        """Return how many blobs and layers there are, however that is said."""
        return [re.findall(r"\d+", line)[0] for line in lines if re.match("Blobs|Layers", line)]

    info = ours.run("cache", "info").stdout.splitlines()
    assert len(counted_in(info)) == 2
    assert counted_in(info) == counted_in(expected(wrote)["info"])
    assert ours.run("cache", "prune", "--all").code == 0
    for folder in ("blobs/sha256", "layers", "heads"):
        assert list((there.store / folder).iterdir()) == []


def test_what_a_killed_run_left_behind_is_swept(there: Place, ours: Dockless, wrote: Path) -> None:
    left = there.store_as_found / "runs"
    shutil.copytree(wrote / "interrupted/runs", left)
    assert list(left.iterdir())
    push(there, ours, "a/shop:1", "gzip")
    assert not list(left.glob("*"))
    assert list((there.store / "runs").iterdir()) == []


def test_it_is_moved_and_nothing_of_it_left_behind(
    there: Place, ours: Dockless, wrote: Path
) -> None:
    parts = ("blobs/sha256", "layers", "heads", "links")
    before = {part: {path.name for path in (wrote / "store" / part).iterdir()} for part in parts}
    push(there, ours, "a/shop:1", "gzip")
    for part, names in before.items():
        assert names <= {path.name for path in (there.store / part).iterdir()}
    assert list(there.store_of_0_1_0.iterdir()) == [there.store]
