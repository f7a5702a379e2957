"""How many requests of a push wait for one another, at a registry with a token service."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
import urllib3

from bed import hostile
from bed.dockless import Dockless
from bed.failures import until
from bed.pushes import Pusher
from bed.registry import Registry, Request
from bed.tokens import TokenService

_NAME = "team/app"
_MARK = "/v2/mark/tags/list"


class Trips(NamedTuple):
    """Sequential round trips of a first push, of the same again, and with one layer changed."""

    first: int
    unchanged: int
    changed: int


_FOUND = {"direct": Trips(12, 3, 12), "auto": Trips(16, 3, 16)}
"""Each push asks how to log in, for a token, and for the tag. One that writes asks for the blobs,
needs three requests for each of them, and one each for the manifest and the tag; and reads the
manifest, the blobs and the tag back. `auto` has four more for crane: a token for this repository,
its ping, and its questions for the manifest and the blobs."""


def sequential(requests: Iterable[Request]) -> list[str]:
    """Return the requests that wait for one another, in their order.

    Those about different blobs run at the same time: between two others, those of one kind count
    once, however many blobs there are, and however they interleave.
    """
    steps: list[str] = []
    seen: set[str] = set()
    for each in requests:
        path = each.path.partition("?")[0]
        if "/blobs/" not in path:
            seen.clear()
            steps.append(f"{each.method} {path}")
            continue
        kind = f"{each.method} {'uploads' if '/uploads/' in path else 'blobs'}"
        if kind == "HEAD blobs" and "PUT uploads" in seen:  # it was waited for the uploads
            seen.clear()
        if kind not in seen:
            seen.add(kind)
            steps.append(kind)
    return steps


def archive(folder: Path, layers: list[bytes]) -> Path:
    members = (hostile.file(f"{n}/layer.tar", data) for n, data in enumerate(layers))
    path = folder / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*members)))
    return path


def logged(registry: Registry, mark: int) -> tuple[Request, ...]:
    """Return what was asked so far, once the log has this mark, which is made last."""
    url = f"https://{registry.host}{_MARK}?n={mark}"
    urllib3.PoolManager(ca_certs=str(registry.ca_file)).request("GET", url)
    until(lambda: any(each.path == f"{_MARK}?n={mark}" for each in registry.requests()))
    return tuple(each for each in registry.requests() if not each.path.startswith(_MARK))


@pytest.mark.parametrize("engine", ["direct", "auto"])
def test_the_requests_that_wait_for_one_another(
    program: Dockless,
    token_registry: Registry,
    tokens: TokenService,
    tmp_path: Path,
    engine: str,
) -> None:
    pusher = Pusher(program, token_registry, tmp_path)
    layers = [hostile.tar(hostile.file(f"{n}", os.urandom(50_000))) for n in range(5)]
    changed = hostile.tar(hostile.file("changed", os.urandom(50_000)))
    found, done, asked = [], 0, 0
    for number, image in enumerate((layers, layers, [*layers[:4], changed])):
        pusher.push(f"{_NAME}:1", archive(tmp_path, image), "--engine", engine)
        requests = logged(token_registry, number)
        steps = sequential(requests[done:])
        found.append(len(tokens.asked) - asked + len(steps))
        done, asked = len(requests), len(tokens.asked)
    assert Trips(*found) == _FOUND[engine]
