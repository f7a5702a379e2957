import json

import pytest

from dockless.model.lock import Lock, Locked, lock_text, read_lock
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST, Descriptor

ROOT = Descriptor(OCI_MANIFEST, Digest.of(b"root"), 4)
WEB = Locked("ghcr.io/acme/web:1", "web.tar", ROOT, ("linux/amd64",), ((Digest.of(b"x"), 1),))
API = Locked("ghcr.io/acme/api:1", "api.tar", ROOT, (), ())


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


def test_blobs_that_are_no_list_are_refused() -> None:
    document = json.loads(lock_text(Lock((WEB,))))
    document["images"][0]["blobs"] = "x"
    with pytest.raises(ValueError, match="it lacks"):
        read_lock(json.dumps(document).encode())


@pytest.mark.parametrize("size", [10**400, 1 << 63, -1, 1.5, "4", None, True])
@pytest.mark.parametrize("where", ["image", "blob"])
def test_a_size_that_no_file_has_is_refused(size: object, where: str) -> None:
    document = json.loads(lock_text(Lock((WEB,))))
    image = document["images"][0]
    (image if where == "image" else image["blobs"][0])["size"] = size
    with pytest.raises(ValueError, match="no number of bytes"):
        read_lock(json.dumps(document).encode())
