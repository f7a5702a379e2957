"""A registry that was killed while it wrote: it fails at reading what it was writing, for good.

Docker's registry up to version 2 leaves an empty file then, and answers 500 whenever it reads it;
writing it again mends that.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.pushes import Pusher
from bed.registry import Registry

_REPOSITORIES = "docker/registry/v2/repositories"
_TAG = "_manifests/tags/1/current/link"
_MANIFEST = "_manifests/revisions/sha256/*/link"
_BLOBS = "_layers/sha256/*/link"
_ONCE = ("--retries", "1")  # such a registry answers the same each time


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    """Pushes to a registry of the test's own."""
    return Pusher(program, own_registry, tmp_path)


def empty(registry: Registry, repository: str, pattern: str) -> list[Path]:
    """Empty files of a repository, as if the registry had been killed while it wrote them."""
    found = list((registry.storage / _REPOSITORIES / repository).glob(pattern))
    assert found
    for path in found:
        path.write_bytes(b"")
    return found


def assert_whole(pusher: Pusher, name: str, written: Sequence[Path]) -> None:
    """See that the registry can read what it could not, and has the whole image."""
    assert all(path.read_bytes() for path in written)
    pusher.back(name)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("pattern", [_TAG, _MANIFEST])
@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_what_cannot_be_read_is_pushed_again(
    pusher: Pusher, packed: Path, pattern: str, engine: str
) -> None:
    digest = pusher.push("acme/app:1", packed)
    damaged = empty(pusher.registry, "acme/app", pattern)
    assert pusher.push("acme/app:1", packed, "--engine", engine, *_ONCE) == digest
    assert_whole(pusher, "acme/app:1", damaged)


@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_a_blob_that_cannot_be_read_is_sent_again(
    pusher: Pusher, packed: Path, engine: str
) -> None:
    digest = pusher.push("acme/app:1", packed)
    damaged = empty(pusher.registry, "acme/app", _BLOBS)
    assert pusher.push("acme/app:2", packed, "--engine", engine, *_ONCE) == digest
    assert_whole(pusher, "acme/app:2", damaged)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_an_engine_that_was_asked_for_is_not_helped(
    pusher: Pusher, packed: Path, engine: str
) -> None:
    pusher.push("acme/app:1", packed)
    damaged = empty(pusher.registry, "acme/app", _BLOBS)
    assert pusher.run("acme/app:2", packed, "--engine", engine, *_ONCE).code == 6
    assert not any(path.read_bytes() for path in damaged)


def test_compression_is_chosen_where_a_tag_cannot_be_read(
    pusher: Pusher, old_archive: Path
) -> None:
    digest = pusher.push("acme/app:1", old_archive)
    damaged = empty(pusher.registry, "acme/app", _TAG)
    assert pusher.push("acme/app:1", old_archive, "--compression", "auto", *_ONCE) == digest
    assert_whole(pusher, "acme/app:1", damaged)


def test_a_tag_that_cannot_be_read_is_not_moved_by_an_immutable_push(
    pusher: Pusher, packed: Path
) -> None:
    pusher.push("acme/app:1", packed)
    (link,) = empty(pusher.registry, "acme/app", _TAG)
    result = pusher.run("acme/app:1", packed, "--immutable", *_ONCE)
    assert result.code == 6
    assert (
        "responds with 500 Internal Server Error to HEAD of /v2/acme/app/manifests/1"
        in result.stderr
    )
    assert link.read_bytes() == b""


@pytest.mark.sampled(5)
@pytest.mark.parametrize("pattern", [_TAG, _MANIFEST, _BLOBS])
def test_a_mirror_writes_again_what_cannot_be_read(
    pusher: Pusher, oci_layout: Path, tmp_path: Path, pattern: str
) -> None:
    source = shutil.copytree(oci_layout, tmp_path / "layouts" / "app")
    argv = ("mirror", source, "--to", f"{pusher.registry.host}/acme")
    assert pusher.program.run(*argv).code == 0
    damaged = empty(pusher.registry, "acme/app", pattern)
    if pattern == _BLOBS:  # or the tag would say that all of it is there
        shutil.rmtree(pusher.registry.storage / _REPOSITORIES / "acme/app/_manifests/tags")
    result = pusher.program.run(*argv, *_ONCE)
    assert result.code == 0, result.stderr
    assert_whole(pusher, "acme/app:1", damaged)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:50], "could not be read back"),
        (
            lambda data: data.replace(b"config", b"konfig"),
            "has to delete the content of this digest",
        ),
        (lambda _: b"{}", "could not be read back"),
    ],
)
def test_a_damaged_manifest_is_named_until_it_is_deleted_and_then_written_again(
    pusher: Pusher, packed: Path, tmp_path: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    receipt = tmp_path / "r.json"
    mirror = ("mirror", packed, "--as", "app:1", "--to", f"{pusher.registry.host}/acme")
    assert pusher.program.run(*mirror, "--receipt", receipt).code == 0
    digest = pusher.digest("acme/app:1").partition(":")[2]
    blobs = pusher.registry.storage / "docker/registry/v2/blobs/sha256"
    stored = blobs / digest[:2] / digest / "data"
    whole = stored.read_bytes()
    stored.write_bytes(damage(whole))
    checked = pusher.run("acme/app:1", packed, "--check-blobs", *_ONCE)
    again = pusher.program.run(*mirror, "--receipt", tmp_path / "again.json", *_ONCE)
    for result in (checked, again):
        assert result.code == 1, result.stderr
        assert "also after it was sent again" in result.stderr
        assert said in result.stderr
    stored.unlink()
    assert pusher.run("acme/app:1", packed, "--check-blobs", *_ONCE).code == 0
    assert stored.read_bytes() == whole
    assert pusher.program.run("verify", receipt).code == 0
