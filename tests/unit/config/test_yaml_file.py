from collections.abc import Iterator, Mapping

import pytest

from dockless.config.document import Scalar, Value
from dockless.config.yaml_file import parse
from dockless.errors import UsageError


def text_at(value: Value, *keys: str) -> str:
    for key in keys:
        inner = value.get(key)
        assert inner
        value = inner
    return value.text()


def test_values_know_their_line_and_key() -> None:
    value = parse("a:\n  b:\n    - x\n    - c: 5\n", "f.yml").get("a")
    assert value
    items = value.mapping()["b"].items()
    assert (items[0].origin, items[0].key) == ("f.yml:3", "a.b[0]")
    assert items[1].mapping()["c"].key == "a.b[1].c"


def test_merge_keys_and_aliases_are_followed() -> None:
    text = "base: &b {x: one, y: two}\nmore: &m {y: three}\nthing:\n  y: own\n  <<: [*b, *m]\n"
    value = parse(text, "f.yml")
    assert text_at(value, "thing", "x") == "one"
    assert text_at(value, "thing", "y") == "own"


def test_earlier_of_several_merged_maps_wins() -> None:
    value = parse("a: &a {x: one}\nb: &b {x: two}\nc: {<<: [*a, *b]}\n", "f.yml")
    assert text_at(value, "c", "x") == "one"


def test_empty_text_is_an_empty_map() -> None:
    assert parse("# nothing\n", "f.yml").mapping() == {}


BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 20000 values"),
        ("a: &a [*a]\n", "contains itself"),
        ("a: &a\n  <<: *a\n", "contains itself"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1 is not YAML"),
        ("a: *nothing\n", "f.yml:1:4 is not YAML"),
        ("a: [1\n", "is not YAML"),
        ("a: 1\na: 2\n", "f.yml:2 has the key `a` twice"),
        ("a:\n  b: 1\n  b: 2\n", "`a` in f.yml:3 has the key `b` twice"),
        ("? [x]\n: 1\n", "f.yml:1 has a key that is not a single value"),
        ("a: \x07\n", "a character that YAML does not allow"),
        ("5", "f.yml:1 is a number, where a map is needed"),
        ("<<: 5\n", "where a map is needed"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "f.yml")
    assert message in caught.value.what


def test_python_tags_build_nothing() -> None:
    value = parse("a: !!python/object/apply:os.system [exit 1]\n", "f.yml").get("a")
    assert value
    assert value.texts() == ("exit 1",)


@pytest.mark.parametrize(
    "text",
    [
        "password: *hunter2",
        "password: *'S3",
        "password: !S3cr3t!x y",
        "password: !S3cr3t x",
        "password: !S3cr3t",
        "password: !S3cr3t [a]",
        "password: !<S3cr3t> a",
        "password: !!S3cr3t a",
        "password: {S3cr3t: 1, S3cr3t: 2}",
        "password: [{S3cr3t: 1, S3cr3t: 2}]",
        "credentials:\n  S3cr3t: 1\n  S3cr3t: 1",
        "a.io:\n  credentials:\n    more:\n      S3cr3t: 1\n      S3cr3t: 1",
        "registry: {token: {a: {S3cr3t: 1, S3cr3t: 1}}}",
        "password = S3cr3t: 1\npassword = S3cr3t: 1",
        "'u:S3cr3t@x.y': 1\n'u:S3cr3t@x.y': 1",
        "'u:S3cr3t@x.y': {a: 1, a: 2}",
        "%TAG !S3cr3t! x\n%TAG !S3cr3t! x\n---\na: b",
    ],
)
def test_a_password_in_an_odd_place_is_not_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "f.yml").mapping()["password"].text()
    for hidden in ("hunter2", "S3"):
        assert hidden not in str(caught.value)


@pytest.mark.parametrize("text", ["!S3cr3t x", "{S3cr3t: x}", "[!S3cr3t x]", "{a: {S3cr3t: x}}"])
def test_what_stands_below_a_password_is_not_shown(text: str) -> None:
    def all_of(value: Value) -> Iterator[Value]:
        yield value
        if not isinstance(value.data, Scalar):
            inner = value.data.values() if isinstance(value.data, Mapping) else value.data
            for each in inner:
                yield from all_of(each)

    for each in all_of(parse(f"a: {{password: {text}}}\n", "f.yml").mapping()["a"]):
        with pytest.raises(UsageError) as caught:
            each.boolean()
        assert "S3" not in str(caught.value)
