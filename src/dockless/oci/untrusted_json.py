"""Untrusted JSON: the only caller of `json.loads`, which a test over the syntax tree checks."""

import json
from typing import Any


def parse_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever the text says
    """Parse a JSON text; every type in it must still be checked.

    Raises:
        ValueError: It is not JSON, is not UTF-8, or is nested more deeply than the stack.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
