import pytest

from dockless.model.pins import pinned, repinned, wrong_pin
from dockless.oci.digest import Digest

OLD, NEW = Digest("sha256", "0" * 64), Digest("sha256", "f" * 64)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        (f"a@{OLD}", OLD),
        (f"x.io/a/b:1@{OLD}", OLD),
        ("a:1", None),
        ("v1", None),
        ("", None),
        ("@", None),
        (f"@{OLD}", None),
        ("a@sha256:0", None),
        (f"A@{OLD}", None),
    ],
)
def test_a_name_pins_what_follows_its_at_sign(name: str, digest: Digest | None) -> None:
    assert pinned(name) == digest
    assert wrong_pin((name,), NEW) == (name if digest else "")
    assert wrong_pin((name,), OLD) == ""
    assert repinned(name, OLD, NEW) == (name.replace(str(OLD), str(NEW)) if digest else name)
    assert repinned(name, NEW, OLD) == name
