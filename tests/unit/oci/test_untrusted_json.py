import pytest

from dockless.oci.untrusted_json import parse_json

DEEP = {
    "lists": "[" * 200_000,
    "lists that end": "[" * 200_000 + "]" * 200_000,
    "objects": '{"a":' * 200_000,
    "both": '[{"a":' * 200_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deeply_is_a_value_error(text: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(data)


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b'{"a": 1', "nul", b"\xfe\xff\x00"])
def test_what_is_no_json_is_a_value_error(data: bytes | str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)


def test_json_is_what_it_says() -> None:
    assert parse_json(b'{"a": [1, null, "x"]}') == {"a": [1, None, "x"]}
