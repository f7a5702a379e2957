"""What one source leaves out, another one of the run gives; the damage of each is its own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.errors import AbsentError, DocklessError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    compact_json,
)
from dockless.sources.directory import Folder
from dockless.sources.lending import Lenders
from dockless.sources.oci_layout import CarriedImage, blob_name, roots
from fakes.progress import FakeProgress

LAYER = b"a layer that three images have"
DIGEST = Digest.of(LAYER)
Damage = Callable[[Path], None]


def _blob(folder: Path, data: bytes, media_type: str) -> Descriptor:
    path = folder / blob_name(Digest.of(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))


def layout(folder: Path) -> CarriedImage:
    """Return an image of two layers, of which one is shared."""
    config = _blob(folder, compact_json({"of": folder.name}), OCI_CONFIG)
    layer_type = "application/vnd.oci.image.layer.v1.tar"
    layers = [_blob(folder, LAYER, layer_type), _blob(folder, folder.name.encode(), layer_type)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.to_json(),
        "layers": [each.to_json() for each in layers],
    }
    root = _blob(folder, compact_json(manifest), OCI_MANIFEST)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [root.to_json()]}
    (folder / "index.json").write_bytes(compact_json(index))
    files = Folder(folder, folder.name, FakeProgress())
    return CarriedImage(files, roots(files)[0])


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../../../nowhere")


def _cut(path: Path) -> None:
    os.truncate(path, 3)


def _flip(path: Path) -> None:
    path.write_bytes(LAYER[:-1] + b"?")


DAMAGES = (_link, _broken_link, _cut, _flip)


def lent(
    tmp_path: Path, order: str, damage: Damage, *, damaged: str = "b"
) -> tuple[Lenders, dict[str, CarriedImage]]:
    """Return images, of which `a` lacks the layer, and others have it damaged."""
    images = {name: layout(tmp_path / name) for name in sorted(order)}
    (tmp_path / "a" / blob_name(DIGEST)).unlink()
    for name in damaged:
        damage(tmp_path / name / blob_name(DIGEST))
    lenders = Lenders()
    for name in order:
        lenders.add(images[name])
    return lenders, images


@pytest.mark.parametrize("order", ["bac", "abc", "cba"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_lender_is_tried(tmp_path: Path, order: str, damage: Damage) -> None:
    lenders, images = lent(tmp_path, order, damage)
    image = lenders.completed(images["a"])
    assert image.paths((DIGEST,)) == {DIGEST: tmp_path / "c" / blob_name(DIGEST)}
    assert lenders.fault(image, DIGEST) is None


@pytest.mark.parametrize("order", ["bac", "abc", "cba"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_error_of_a_lender_is_its_own(tmp_path: Path, order: str, damage: Damage) -> None:
    lenders, images = lent(tmp_path, order, damage, damaged="bc")
    image = lenders.completed(images["a"])
    with pytest.raises(AbsentError, match="a lacks blobs/") as caught:
        image.paths((DIGEST,))
    found = lenders.fault(image, DIGEST)
    assert (type(found), str(found)) == (AbsentError, str(caught.value))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_dry_run_finds_the_fault_that_a_push_finds(tmp_path: Path, damage: Damage) -> None:
    lenders, images = lent(tmp_path, "abc", damage)
    image = lenders.completed(images["b"])
    with pytest.raises(SourceError, match="b: blobs/") as caught:
        image.paths((DIGEST,))
    found = lenders.fault(image, DIGEST)
    assert (type(found), str(found)) == (SourceError, str(caught.value))
    for blob in image.content().blobs:  # nothing of a layout is used that leads elsewhere
        assert bool(lenders.fault(image, blob.digest)) is (
            blob.digest == DIGEST or damage in (_link, _broken_link)
        )


def test_an_image_that_cannot_be_read_lends_nothing(tmp_path: Path) -> None:
    lenders, images = lent(tmp_path, "abc", _cut, damaged="")

    class Unreadable(CarriedImage):
        def content(self) -> None:  # type: ignore[override]  # it never returns
            raise DocklessError("It cannot be read.")

    files = Folder(tmp_path / "b", "b", FakeProgress())
    lenders = Lenders()
    for each in (Unreadable(files, roots(files)[0]), images["c"]):
        lenders.add(each)
    image = lenders.completed(images["a"])
    assert image.paths((DIGEST,)) == {DIGEST: tmp_path / "c" / blob_name(DIGEST)}
