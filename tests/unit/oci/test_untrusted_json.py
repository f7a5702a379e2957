import pytest

from dockless.oci.untrusted_json import is_number, parse_json

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


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1"]
)
def test_what_is_no_utf_8_is_no_json(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json('{"a": "é"}'.encode(encoding))


def test_a_mark_of_utf_8_is_skipped() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("value", [0, -1, 1.5, 2**63])
def test_a_number_is_a_number(value: object) -> None:
    assert is_number(value)


@pytest.mark.parametrize(
    "value", [True, False, None, "1", [1], float("nan"), float("inf"), -float("inf"), 10**400]
)
def test_nothing_else_is_a_number(value: object) -> None:
    assert not is_number(value)
