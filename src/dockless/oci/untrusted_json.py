"""Untrusted JSON: the only caller of `json.loads`, which a test over the syntax tree checks."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, TypeVar

from msgspec import convert

Parsed = TypeVar("Parsed")
_BLANKS = " \t\r\n"
_Pairs = list[tuple[str, Any]]
_MOST_DIGITS = 600  # Python's own limit can be set, to no less than 640


class RepeatedMemberError(ValueError):
    """An object has a member twice: parsers differ in which of them they take."""


def parse_own_json(data: bytes | str) -> Any:  # noqa: ANN401 - as below
    """Parse a JSON text of a kind that dockless alone writes; as `parse_json`.

    Raises:
        ValueError: As there.
        RepeatedMemberError: An object has a member twice.
    """
    return _parsed(data, _once)


def _once(pairs: _Pairs) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedMemberError(f"an object in it has more than one {json.dumps(twice)}")
    return members


def go_member(members: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - as below
    """Return a member as Go's encoding/json finds it: by its name, else whatever the case is."""
    if name in members:
        return members[name]
    low = name.lower()
    return next((members[each] for each in members if each.lower() == low), None)


def parse_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever the text says
    """Parse a JSON text; every type in it must still be checked.

    Raises:
        ValueError: It is not JSON, is not UTF-8 (RFC 8259, section 8.1), or is nested more deeply
            than the stack.
    """
    return _parsed(data, None)


def _parsed(data: bytes | str, pairs: Callable[[_Pairs], dict[str, Any]] | None) -> Any:  # noqa: ANN401 - as above
    try:
        # json itself guesses UTF-16 and UTF-32 from bytes; an UTF-8 mark at the start is skipped
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        try:
            return json.loads(text, object_pairs_hook=pairs)
        except (json.JSONDecodeError, RepeatedMemberError):
            raise
        except ValueError:  # of a number with more digits than Python converts
            return json.loads(text, object_pairs_hook=pairs, parse_int=_integer)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def first_value(data: bytes) -> bytes | str:
    """Return the first JSON value of a text without what follows it, as Go's decoder reads it.

    What has none is returned as it is.
    """
    try:
        text = data.decode("utf-8-sig").lstrip(_BLANKS)
        _, end = json.JSONDecoder(parse_int=_integer).raw_decode(text)
    except (ValueError, RecursionError):
        return data
    return text[:end]


def folded(members: object) -> object:
    """Return an object with its names in lower case, as Go finds fields whatever their case is."""
    if not isinstance(members, dict):
        return members
    return {str(name).lower(): value for name, value in members.items()}


def _integer(digits: str) -> int | float:
    """Return a number; infinity, which is valid nowhere, for one that Python does not convert."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def parse_as(data: bytes | str, shape: type[Parsed]) -> Parsed:
    """Parse a JSON text of a known shape; see `shaped`.

    Python's own parser reads it, since msgspec's takes no lone surrogates and no mark of UTF-8.

    Raises:
        ValueError: As `parse_json`, or the text has another shape.
    """
    return shaped(parse_json(data), shape)


def shaped(value: object, shape: type[Parsed]) -> Parsed:
    """Return what JSON says as a value of this shape, such as a Struct or a list of them.

    Types are strict, and members that the shape does not name are ignored.

    Raises:
        ValueError: It has another shape.
    """
    try:
        return convert(value, shape)
    except UnicodeEncodeError:
        pass  # a member's name has a lone surrogate, so that no shape names it
    try:
        return convert(_with_names(value), shape)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _with_names(value: object) -> object:
    """Return a value without the members whose names are not Unicode."""
    match value:
        case dict():
            return {key: _with_names(each) for key, each in value.items() if _is_unicode(key)}
        case list():
            return [_with_names(each) for each in value]
    return value


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


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
