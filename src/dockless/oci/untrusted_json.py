"""JSON that others wrote: the only caller of `json.loads`, as a test over the syntax tree sees."""

import json
from typing import Any


def parse_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever the text says
    """Return what a JSON text says; every type in it is still to be checked.

    Raises:
        ValueError: It is not JSON, is not UTF-8, or is nested more deeply than the stack.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
