"""Documents and streams made wrong in every place, one at a time."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

DEEP = "[" * 2000 + "]" * 2000
"""JSON that is nested more deeply than a parser's stack."""

WRONG: tuple[Any, ...] = (
    5,
    -1,
    10**30,
    float("inf"),
    float("nan"),
    1.5,
    True,
    None,
    "",
    "x",
    "a\x00b",
    "\ud800",
    "\udc80",
    "../../etc/passwd",
    "http://[x/",
    "\x1b]0;title\x07\u202e",
    "9" * 300,
    [],
    [5],
    [None],
    ["x"],
    [[]],
    {},
    {"x": 5},
    {"": None},
)
"""What a member may be in place of what it should be."""

NOT_JSON = (b"", b"{", b"null", b"5", b'"x"', b"[]", b"[5]", b"{}", b"\xff\xfe", DEEP.encode())
"""What may stand in place of a whole document."""


def documents(document: Any) -> Iterator[bytes]:  # noqa: ANN401 - any JSON
    """Yield a JSON document with each of its values replaced, left out, or nested too deeply."""
    yield from NOT_JSON
    for path in _paths(document):
        for wrong in WRONG:
            yield json.dumps(_with(document, path, wrong)).encode()
        yield json.dumps(_with(document, path, "DEEP")).encode().replace(b'"DEEP"', DEEP.encode())
        yield json.dumps(_without(document, path)).encode()


def bytes_of(data: bytes, places: Sequence[int], seed: int = 1) -> Iterator[bytes]:
    """Yield a stream cut at each of these places, and with the byte there changed."""
    chance = random.Random(seed)  # noqa: S311 - damage, not a secret
    for place in places:
        yield data[:place]
        for value in (0, 255, data[place] ^ 1, data[place] ^ 128, chance.randrange(256)):
            changed = bytearray(data)
            changed[place] = value
            yield bytes(changed)


def _paths(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    if isinstance(document, dict):
        members: Any = document.items()
    elif isinstance(document, list):
        members = enumerate(document)
    else:
        return
    for key, value in members:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _with(document: Any, path: tuple[str | int, ...], value: Any) -> Any:  # noqa: ANN401
    changed = copy.deepcopy(document)
    *above, last = path
    place = changed
    for key in above:
        place = place[key]
    place[last] = value
    return changed


def _without(document: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401
    changed = copy.deepcopy(document)
    *above, last = path
    place = changed
    for key in above:
        place = place[key]
    del place[last]
    return changed
