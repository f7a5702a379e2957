"""A blob of a registry that holds no byte any more, as after a crash or on a full disk."""

import json
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.pushes import Pusher
from bed.registry import Registry


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    """Pushes to a registry of the test's own."""
    return Pusher(program, own_registry, tmp_path)


def emptied(pusher: Pusher, name: str, place: int) -> None:
    """Empty the registry's copy of one blob of an image: its config or a layer."""
    manifest = json.loads(pusher.manifest(name))
    digest = [manifest["config"], *manifest["layers"]][place]["digest"].partition(":")[2]
    blobs = pusher.registry.storage / "docker/registry/v2/blobs/sha256"
    (blobs / digest[:2] / digest / "data").write_bytes(b"")


@pytest.mark.parametrize("place", [0, 1, -1])
def test_an_emptied_blob_is_no_proof_that_an_image_is_there(
    pusher: Pusher, packed: Path, tmp_path: Path, place: int
) -> None:
    receipt = tmp_path / "r.json"
    mirror = ("mirror", packed, "--as", "app:1", "--to", f"{pusher.registry.host}/acme")
    result = pusher.program.run(*mirror, "--receipt", receipt)
    assert result.code == 0, result.stderr
    emptied(pusher, "acme/app:1", place)
    for argv in (
        ("verify", receipt),
        ("push", packed, "--image", f"{pusher.registry.host}/acme/app:1", "--check-blobs"),
        ("push", packed, "--image", f"{pusher.registry.host}/acme/app:2"),
        ("push", packed, "--image", f"{pusher.registry.host}/other/app:1"),
        (*mirror, "--receipt", tmp_path / "again.json"),
    ):
        result = pusher.program.run(*argv)
        assert result.code == 1, (argv, result.stderr)
        assert "0 bytes in place of" in result.stderr, result.stderr
