import pytest

from dockless.oci.reference import Name
from dockless.sources.source_names import id_digits, is_surely_id, target_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop:v1", "shop:v1"),
        ("cafecafecafe", "cafecafecafe"),
        ("sha256:cafe", None),
        ("f" * 64, None),
        ("sha256:" + "f" * 64, None),
    ],
)
def test_an_id_names_no_target(text: str, name: str | None) -> None:
    assert target_name(text) == (Name.parse(name) if name else None)


@pytest.mark.parametrize(
    ("text", "digits", "is_id"),
    [
        ("sha256:a", "a", True),
        ("fea", "", False),
        ("feafeafeafea", "feafeafeafea", False),
        ("f" * 64, "f" * 64, True),
        ("f" * 65, "", False),
        ("sha256:", "", False),
        ("sha256:xyz", "", False),
        ("shop:v1", "", False),
    ],
)
def test_an_id_is_known_by_its_digits(text: str, digits: str, *, is_id: bool) -> None:
    assert id_digits(text) == digits
    assert is_surely_id(text) is is_id
