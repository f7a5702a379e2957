import pytest

from dockless.config import plain
from dockless.config.document import Scalar, Value, merge
from dockless.errors import UsageError


def test_maps_are_merged_and_everything_else_replaced() -> None:
    base = plain.value({"a": {"x": "1", "y": "2"}, "b": ["1"], "c": "1"}, "base")
    over = plain.value({"a": {"y": "3"}, "b": ["2"], "c": {"z": "4"}, "d": "5"}, "over")
    merged = merge(base, over)
    first = merged.get("a")
    assert first
    assert (first.optional("x"), first.optional("y")) == ("1", "3")
    assert merged.mapping()["b"].texts() == ("2",)
    assert merged.mapping()["b"].file == "over"
    assert merged.mapping()["c"].optional("z") == "4"
    assert merged.optional("d") == "5"


def test_setting_carries_file_and_line() -> None:
    value = Value(
        data={"a": Value(data=Scalar("text", "x"), file="f", line=3, key="a")},
        file="f",
        line=1,
        key="",
    )
    setting = value.setting("a")
    assert setting
    assert (setting.value, setting.origin) == ("x", "f:3")


def test_empty_and_missing_texts_are_no_setting() -> None:
    value = plain.value({"a": "", "b": None}, "f")
    assert [value.setting(key) for key in "abc"] == [None, None, None]


@pytest.mark.parametrize("port", [1, "22", 65535])
def test_port_is_a_number_maybe_in_quotes(port: object) -> None:
    assert plain.value(port, "f").port() == int(str(port))


@pytest.mark.parametrize("port", [0, -1, 65536, "", "2 2", "²", 22.5, True, None, "9" * 5000])
def test_what_is_no_port_is_refused(port: object) -> None:
    with pytest.raises(UsageError, match="is not a port"):
        plain.value(port, "f", "port").port()


def test_scalar_is_not_shown() -> None:
    assert "hunter2" not in repr(plain.value({"password": "hunter2"}, "f"))
