from pathlib import Path

import pytest

from dockless.errors import LostCopyError
from dockless.storage.bundle import Bundle
from fakes.image import FakeImage


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


@pytest.mark.parametrize("wrong", [flipped, lambda data: data[:-1], lambda _: b""])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_is_not_its_digest_does_not_get_into_a_bundle(
    tmp_path: Path, number: int, wrong: object
) -> None:
    image, bundle = FakeImage(tmp_path / "blobs"), Bundle(tmp_path / "bundle")
    content = image.content()
    blobs = image.paths(bundle.needs(content))
    digest = content.blobs[number].digest
    assert callable(wrong)
    blobs[digest].write_bytes(wrong(blobs[digest].read_bytes()))
    with pytest.raises(LostCopyError, match=str(digest)):
        bundle.hold(content, blobs)
    assert digest in bundle.needs(content)
    bundle.hold(content, image.paths(bundle.needs(content)))
    assert not bundle.needs(content)
    assert not list((tmp_path / "bundle").rglob(".*"))
    for path in (tmp_path / "bundle" / "blobs" / "sha256").iterdir():
        assert path.name in {each.digest.hex for each in content.blobs} | {
            each.hex for each in content.documents
        }
