"""Untrusted JSON: the only caller of `json.loads`, which a test over the syntax tree checks."""

import json
import math
from typing import Any, TypeGuard


def parse_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever the text says
    """Parse a JSON text; every type in it must still be checked.

    Raises:
        ValueError: It is not JSON, is not UTF-8 (RFC 8259, section 8.1), or is nested more deeply
            than the stack.
    """
    try:
        # json itself guesses UTF-16 and UTF-32 from bytes; an UTF-8 mark at the start is skipped
        return json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number; true and false, which Python takes for 1 and 0, are not.

    An integer is one only as far as it fits a float.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
