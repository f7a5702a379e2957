import json

import pytest

from dockless.model.lock import Lock, Locked, lock_text, read_lock
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST, Descriptor
from dockless.oci.reference import Name

ROOT = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(b"root"), size=4)
WEB = Locked(
    name="ghcr.io/acme/web:1",
    source="web.tar",
    root=ROOT,
    platforms=("linux/amd64",),
    blobs=((Digest.of(b"x"), 1),),
)
_NO_LISTS: tuple[object, ...] = ("x", {}, None, 1)
_NO_TEXTS: tuple[object, ...] = (1, None, [], {}, True)
_NO_BLOBS: tuple[object, ...] = (1, None, "x", {"size": 1}, {"digest": 1, "size": 1})
API = Locked(name="ghcr.io/acme/api:1", source="api.tar", root=ROOT, platforms=(), blobs=())


def test_a_lock_comes_back_as_it_was_in_the_order_of_names() -> None:
    lock = Lock((WEB, API), frozenset({Digest.of(b"elsewhere")}))
    found = read_lock(lock_text(lock).encode())
    assert found == Lock((API, WEB), lock.elsewhere)
    assert lock_text(lock) == lock_text(Lock((API, WEB), lock.elsewhere))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"lockVersion": 2, "images": []}', '{"lockVersion": 1}',
     '{"lockVersion": 1, "images": [{}]}'],
)  # fmt: skip
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what is wrong differs
        read_lock(text.encode())


@pytest.mark.parametrize(
    "version", [True, False, 1.0, "1", None, [1], 2, 0, -1, 10**400, float("nan")]
)
def test_a_version_that_is_not_the_number_1_is_refused(version: object) -> None:
    document = json.loads(lock_text(Lock((WEB,)))) | {"lockVersion": version}
    with pytest.raises(ValueError, match="its lockVersion is "):
        read_lock(json.dumps(document).encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_a_lock_in_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"is not (JSON|UTF-8)"):
        read_lock(lock_text(Lock((WEB,))).encode(encoding))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *((member, value) for member in ("blobs", "platforms") for value in _NO_LISTS),
        *((member, value) for member in ("name", "source", "mediaType") for value in _NO_TEXTS),
        *(("platforms", [value]) for value in _NO_TEXTS),
        *(("blobs", [value]) for value in _NO_BLOBS),
        *(("digest", value) for value in ("", "sha256:x", 1, None)),
        *(("shortName", value) for value in (1, "other:1", "web:1", "ghcr.io/acme/web:2", "")),
    ],
)
def test_a_member_of_another_type_is_named(member: str, value: object) -> None:
    document = json.loads(lock_text(Lock((WEB,))))
    document["images"][0][member] = value
    with pytest.raises(ValueError, match=rf"images\[0\]\.{member}|is not a repository name"):
        read_lock(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("member", "value"),
    [("images", {}), ("images", "x"), ("images", [1]), ("elsewhere", "sha256:" + "a" * 64),
     ("elsewhere", {}), ("elsewhere", None), ("elsewhere", [1]), ("elsewhere", ["x"]),
     ("manifest.json", 1), ("manifest.json", ""), ("manifest.json", ["x"])],
)  # fmt: skip
def test_a_member_of_the_whole_of_another_type_is_named(member: str, value: object) -> None:
    document = json.loads(lock_text(Lock((WEB,)))) | {member: value}
    with pytest.raises(ValueError, match=rf"^{member}"):
        read_lock(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("name", "whole", "short"),
    [
        ("shop:v1", "docker.io/library/shop:v1", "shop:v1"),
        ("shop", "docker.io/library/shop:latest", "shop"),
        ("docker.io/shop:v1", "docker.io/library/shop:v1", "docker.io/shop:v1"),
        (f"crane@{ROOT.digest}", f"docker.io/library/crane@{ROOT.digest}", f"crane@{ROOT.digest}"),
        ("acme/shop:v1", "docker.io/acme/shop:v1", ""),
        ("ghcr.io/shop:v1", "ghcr.io/shop:v1", ""),
        ("docker.io/library/shop:v1", "docker.io/library/shop:v1", ""),
    ],
)
def test_a_name_whose_path_is_shorter_than_the_full_one_is_kept(
    name: str, whole: str, short: str
) -> None:
    content = Content(root=ROOT, documents={}, blobs=(), image_id=None, platforms=())
    locked = Locked.of(Name.parse(name), "shop.tar", content)
    assert (locked.name, locked.short) == (whole, short)
    assert read_lock(lock_text(Lock((locked,))).encode()).images == (locked,)


@pytest.mark.parametrize("size", [10**400, 1 << 63, -1, 1.5, "4", None, True])
@pytest.mark.parametrize("where", ["image", "blob"])
def test_a_size_that_no_file_has_is_refused(size: object, where: str) -> None:
    document = json.loads(lock_text(Lock((WEB,))))
    image = document["images"][0]
    (image if where == "image" else image["blobs"][0])["size"] = size
    with pytest.raises(ValueError, match="not a number of bytes"):
        read_lock(json.dumps(document).encode())
