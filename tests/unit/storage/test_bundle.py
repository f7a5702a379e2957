from pathlib import Path

import pytest

from dockless.errors import ConflictError, LostCopyError, PushError
from dockless.oci.reference import Name
from dockless.storage.bundle import Bundle, workplace
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


def fail(out: Path) -> None:
    with workplace(out, archive=False) as folder:
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"x")
        (folder / "index.json").write_bytes(b"{}")
        raise PushError("There is no space.")


@pytest.mark.parametrize("kind", ["new", "empty", "link"])
def test_a_users_folder_stays_when_a_bundle_fails_and_what_was_written_goes(
    tmp_path: Path, kind: str
) -> None:
    real, out = tmp_path / "real", tmp_path / "out"
    if kind == "link":
        real.mkdir()
        out.symlink_to(real)
    elif kind == "empty":
        out.mkdir()
    with pytest.raises(PushError, match="no space"):
        fail(out)
    assert out.is_symlink() == (kind == "link")
    assert out.exists() == (kind != "new")
    if kind != "new":
        assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [("app:v1", "docker.io/library/app:v1"), ("app:v1", "app:v1"), ("x.io/a:1", "x.io/a:1")],
)
def test_a_collision_names_both_images_and_what_they_are(
    tmp_path: Path, first: str, second: str
) -> None:
    bundle = Bundle(tmp_path / "out")
    images = [FakeImage(tmp_path / text, (text.encode(),)).content() for text in ("1", "2")]
    bundle.add([Name.parse(first)], "one.tar", images[0])
    with pytest.raises(ConflictError) as caught:
        bundle.add([Name.parse(second)], "two.tar", images[1])
    for part in (second, "one.tar", "two.tar", *(str(each.root.digest) for each in images)):
        assert part in caught.value.what
    assert f"{first} of one.tar" in caught.value.what
