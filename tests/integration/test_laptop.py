"""Real pushes that need neither root, a daemon nor a package: crane, its registry, and Python.

`make quick` runs them, and every other test that is marked `laptop`.
"""

import json
import urllib.request
from pathlib import Path

import pytest

import dockless
from bed import images
from bed.dockless import Dockless
from bed.pushes import document
from bed.registry import Registry

pytestmark = pytest.mark.laptop

SOURCE = Path(dockless.__file__).parent


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[images.Layer, ...]:
    """Layers of files that every checkout has."""
    folder = tmp_path_factory.mktemp("own-layers")
    return tuple(
        images.layer(folder / f"{room}.tar", [f"dockless/{room}"], SOURCE.parent)
        for room in ("oci", "storage", "report")
    )


def layout(folder: Path, *layers: images.Layer, compressed: bool = True) -> Path:
    made = images.Layout(folder)
    return made.top(made.image(layers, compressed=compressed, **images.named("1")))


def at(registry: Registry, name: str) -> bytes:
    """Return the manifest that `repository:tag` or `repository@digest` names."""
    repository, _, tag = name.replace("@", ":", 1).partition(":")
    request = urllib.request.Request(
        f"http://{registry.host}/v2/{repository}/manifests/{tag}",
        headers={"Accept": f"{images.MANIFEST}, {images.INDEX}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the registry on loopback
        data: bytes = response.read()
    return data


def diff_ids(registry: Registry, name: str) -> list[str]:
    """Return the digests of the layers, uncompressed, by the image's config."""
    repository, digest = name.partition(":")[0], json.loads(at(registry, name))["config"]["digest"]
    url = f"http://{registry.host}/v2/{repository}/blobs/{digest}"
    with urllib.request.urlopen(url, timeout=60) as response:
        return list(json.load(response)["rootfs"]["diff_ids"])


@pytest.mark.parametrize("engine", ["auto", "crane", "direct"])
def test_an_uncompressed_layout_is_pushed_and_then_unchanged(
    engine: str,
    program: Dockless,
    embedded_registry: Registry,
    layers: tuple[images.Layer, ...],
    tmp_path: Path,
) -> None:
    source, name = layout(tmp_path / "layout", *layers[:2], compressed=False), f"laptop/{engine}:1"
    argv = ("push", source, "--image", f"{embedded_registry.host}/{name}", "--engine", engine)
    first = program.run(*argv)
    assert first.code == 0, first.stderr
    assert first.stdout.rstrip().endswith(images.digest(at(embedded_registry, name)))
    assert diff_ids(embedded_registry, name) == [each.diff_id for each in layers[:2]]
    again = document(program.run(*argv, "--format", "json").stdout)["result"]
    assert (again["digest"], again["unchanged"]) == (first.stdout.rstrip().partition("@")[2], True)


def test_one_layer_more_is_all_that_is_sent(
    program: Dockless, embedded_registry: Registry, layers: tuple[images.Layer, ...], tmp_path: Path
) -> None:
    target = f"{embedded_registry.host}/laptop/more"
    before = layout(tmp_path / "before", layers[0])
    assert program.run("push", before, "--image", f"{target}:1").code == 0
    after = program.run(
        "push",
        layout(tmp_path / "after", *layers[::2]),
        "--image",
        f"{target}:2",
        "--format",
        "json",
    )
    present = [blob["present"] for blob in document(after.stdout)["result"]["plan"]["blobs"]]
    assert sorted(present) == [False, False, True], "the new layer and the config were missing"


def test_an_archive_is_pushed_from_stdin(
    program: Dockless, embedded_registry: Registry, layers: tuple[images.Layer, ...], tmp_path: Path
) -> None:
    archive = images.archive(layout(tmp_path / "layout", *layers[:2]), tmp_path / "packed.tar")
    target = f"{embedded_registry.host}/laptop/stdin:1"
    done = program.run("push", "-", "--image", target, stdin=archive.read_bytes())
    assert done.code == 0, done.stderr
    assert diff_ids(embedded_registry, "laptop/stdin:1") == [each.diff_id for each in layers[:2]]


def test_a_folder_is_mirrored_and_its_receipt_verified(
    program: Dockless, embedded_registry: Registry, layers: tuple[images.Layer, ...], tmp_path: Path
) -> None:
    folder = program.project / "images"
    for name in ("one", "two"):
        layout(folder / name, *layers[:2])
    receipt = tmp_path / "receipt.json"
    target = f"{embedded_registry.host}/laptop/mirror"
    done = program.run("mirror", folder, "--to", target, "--receipt", receipt)
    assert done.code == 0, done.stderr
    assert len(json.loads(receipt.read_text())["images"]) == 2
    checked = program.run("verify", receipt)
    assert checked.code == 0, checked.stderr


def test_what_is_no_image_is_refused_before_anything_is_sent(
    program: Dockless, embedded_registry: Registry, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.tar"
    letter.write_bytes(b"This is a letter, not an archive.\n" * 100)
    done = program.run("push", letter, "--image", f"{embedded_registry.host}/laptop/letter:1")
    assert done.code == 3, done.stderr
    assert not (embedded_registry.storage / "laptop" / "letter").exists()
