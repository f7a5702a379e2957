"""`--compression auto`: what it chooses, what it remembers, and what it leaves as it is."""

import json
import random
import shutil
from pathlib import Path

import pytest

from bed import hostile, images
from bed.dockless import Dockless, Result
from bed.failures import complaint, store_of
from bed.faults import Fault, FaultyRegistry, refusal
from bed.pushes import document
from bed.registry import Registry

NAME = "team/packed"
GZIP, ZSTD = f"{images.PLAIN_LAYER}+gzip", f"{images.PLAIN_LAYER}+zstd"


def pushed(program: Dockless, source: Path, host: str, *options: str) -> Result:
    return program.run("push", source, "--image", f"{host}/{NAME}:1", *options)


def kinds(registry: Registry) -> set[str]:
    """Return the media types of the layers that the tag names."""
    layout = images.pull(registry, f"{NAME}:1", registry.folder / "pulled")
    index = json.loads((layout / "index.json").read_text())
    digest = index["manifests"][0]["digest"].replace(":", "/")
    manifest = json.loads((layout / "blobs" / digest).read_text())
    shutil.rmtree(layout)
    return {layer["mediaType"] for layer in manifest["layers"]}


def links(program: Dockless, host: str) -> Path:
    """Return the file of what is known of the way to a registry."""
    name = host.replace(":", "%3A")
    return store_of(program) / "links" / f"{name}.json"


def test_a_new_registry_gets_zstd_and_the_plan_says_why(
    program: Dockless, own_registry: Registry, old_archive: Path
) -> None:
    host = own_registry.host
    auto = ("--compression", "auto")
    planned = pushed(program, old_archive, host, *auto, "--dry-run")
    assert (
        f"Layers    zstd, level 3 (the upload speed to {host} is not known yet)" in planned.stdout
    )
    done = pushed(program, old_archive, host, *auto, "--format", "json")
    assert done.code == 0, done.stderr
    chosen = document(done.stdout)["result"]["plan"]["compression"]
    assert chosen["format"] == "zstd"
    assert kinds(own_registry) == {ZSTD}


@pytest.mark.parametrize(("rate", "level"), [(1_000_000_000, 1), (1_000_000, 9)])
def test_the_level_is_that_of_the_way_to_the_registry(
    program: Dockless, own_registry: Registry, old_archive: Path, rate: int, level: int
) -> None:
    path = links(program, own_registry.host)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"rate": rate, "takes_zstd": True}))
    done = pushed(program, old_archive, own_registry.host, "--compression", "auto")
    assert done.code == 0, done.stderr
    assert f"Compression: zstd, level {level} (" in done.stderr


def test_a_push_remembers_how_fast_the_way_was(
    program: Dockless, own_registry: Registry, tmp_path: Path
) -> None:
    noise = hostile.tar(hostile.file("noise", random.Random(1).randbytes(9_000_000)))  # noqa: S311 - no secret
    archive = tmp_path / "image.tar"
    archive.write_bytes(hostile.tar(*hostile.image(hostile.file("1/layer.tar", noise))))
    done = pushed(program, archive, own_registry.host)
    assert done.code == 0, done.stderr
    assert json.loads(links(program, own_registry.host).read_text())["rate"] > 0


def test_a_layer_that_was_compressed_before_stays_as_it_is(
    program: Dockless, own_registry: Registry, old_archive: Path
) -> None:
    first = pushed(program, old_archive, own_registry.host)
    again = pushed(program, old_archive, own_registry.host, "--compression", "auto")
    assert again.code == 0, again.stderr
    assert again.stdout == first.stdout
    assert "nothing to do" in again.stderr


def test_readers_of_dockers_own_format_get_gzip(
    program: Dockless, own_registry: Registry, old_archive: Path
) -> None:
    images.skopeo_copy(
        f"docker-archive:{old_archive}",
        f"docker://{own_registry.host}/{NAME}:1",
        *own_registry.skopeo_options("dest"),
    )
    done = pushed(program, old_archive, own_registry.host, "--compression", "auto")
    assert done.code == 0, done.stderr
    assert "Compression: gzip" in done.stderr
    assert kinds(own_registry) == {GZIP}


def test_a_registry_that_refuses_zstd_gets_gzip_the_next_time(
    program: Dockless, faulty_registry: FaultyRegistry, own_registry: Registry, old_archive: Path
) -> None:
    invalid = refusal(400, "MANIFEST_INVALID", "manifest invalid", {})
    fault = Fault("PUT", "/manifests/sha256:", invalid, 1)
    faulty_registry.faults.append(fault)
    auto = ("--compression", "auto")
    said = complaint(pushed(program, old_archive, faulty_registry.host, *auto), 1)
    assert "Push again: the layers will be gzip." in said
    done = pushed(program, old_archive, faulty_registry.host, *auto)
    assert done.code == 0, done.stderr
    assert kinds(own_registry) == {GZIP}
