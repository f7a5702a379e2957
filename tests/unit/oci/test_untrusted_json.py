import json
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from dockless.oci.untrusted_json import (
    RepeatedMemberError,
    is_number,
    parse_as,
    parse_json,
    parse_own_json,
    shaped,
)


class Part(Struct):
    name: str
    size: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    rate: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    inner: "Part | None" = None


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


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"name": "a"}', Part("a")),
        ('{"name": "a", "more": [1, {"name": 2}]}', Part("a")),
        ('{"name": "a", "name": "b"}', Part("b")),
        (r'{"name": "\ud800"}', Part("\ud800")),
        (r'{"name": "a", "\ud800": 1, "x\udfff": {}}', Part("a")),
        (r'{"name": "a", "inner": {"name": "b", "\udc80": 1}}', Part("a", inner=Part("b"))),
        ('{"name": "a", "size": 9223372036854775807, "rate": 1}', Part("a", 2**63 - 1, 1.0)),
        ('\ufeff{"name": "a"}', Part("a")),
    ],
)
def test_a_shape_takes_what_it_names_and_ignores_the_rest(text: str, part: Part) -> None:
    assert parse_as(text.encode(), Part) == part


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        '{"name": null}',
        '{"name": 1}',
        r'{"\ud800": "a"}',
        '{"name": "a", "size": -1}',
        '{"name": "a", "size": true}',
        '{"name": "a", "size": 1.0}',
        '{"name": "a", "size": 9223372036854775808}',
        '{"name": "a", "rate": NaN}',
        '{"name": "a", "rate": Infinity}',
        '{"name": "a", "rate": "1"}',
        f'{{"name": "a", "rate": 1{"0" * 400}}}',
        '{"name": "a"',
        *DEEP.values(),
    ],
    ids=lambda text: text[:40],
)
def test_another_shape_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_as(text, Part)


def test_names_of_a_map_may_be_any_text() -> None:
    members = {"\ud800": 1, "a": 2}
    assert parse_as(json.dumps(members), dict[str, int]) == members
    assert shaped(members, dict[str, int]) == members


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 1}', '[{"b": {}}, {"c": {"d": 1, "e": 2, "d": 3}}]', '{"\\u006a": 1, "j": 2}'],
)
@pytest.mark.parametrize("digits", [1, 5000])
def test_a_member_that_stands_twice_is_an_error_in_what_dockless_writes(
    text: str, digits: int
) -> None:
    text = text.replace("1", "1" * digits)
    parse_json(text)
    with pytest.raises(RepeatedMemberError, match="has more than one"):
        parse_own_json(text)
    once = '{"a": {"b": 1}, "b": [{"b": 1}]}'
    assert parse_own_json(once) == parse_json(once)
