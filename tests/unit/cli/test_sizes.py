"""Sizes in bytes, as options take them."""

import click
import pytest

from dockless.cli.param_types import SIZE


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("700M", 700_000_000), ("4GB", 4_000_000_000), ("8k", 8_000)]
)
def test_a_size_is_in_decimal_units(text: str, size: int) -> None:
    assert SIZE.convert(text, None, None) == size


@pytest.mark.parametrize(
    "text", ["0", "0G", "00k", "", "-1", "1.5G", "1 G", "4X", "G", "9" * 19, "9" * 5000, "٣"]
)
def test_nothing_else_is_a_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size such as"):
        SIZE.convert(text, None, None)
