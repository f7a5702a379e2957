"""What is mirrored, and by what a run knows an interrupted one."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions
from dockless.model.shard import Shard
from dockless.oci.platform import Platform
from dockless.usecases.mirror.request import MirrorRequest

REQUEST = MirrorRequest(
    sources=("a.tar",),
    files=(),
    to="registry.inside/m",
    receipt=None,
    folder=Path("/images"),
    options=MirrorOptions(),
)
WHOLE = Shard(0, 1)
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def test_a_mirror_needs_a_source_or_a_list() -> None:
    assert REQUEST.rules({}).part == WHOLE
    assert replace(REQUEST, sources=(), files=(Path("list.txt"),)).rules({}).part == WHOLE
    with pytest.raises(UsageError, match="nothing to mirror"):
        replace(REQUEST, sources=()).rules({})


@pytest.mark.parametrize(
    "change",
    [
        {"to": "registry.other"},
        {"sources": ("b.tar",)},
        {"folder": Path("/others")},
        {"options": MirrorOptions(flatten=True)},
        {"options": MirrorOptions(named="shop")},
        {"options": MirrorOptions(referrers=False)},
        {"options": MirrorOptions(platforms=(AMD64,))},
        {"options": MirrorOptions(platforms=(AMD64, ARM64))},
    ],
)
def test_another_mirror_has_another_identity(change: dict[str, object]) -> None:
    assert REQUEST.identity(WHOLE) != replace(REQUEST, **change).identity(WHOLE)
    assert REQUEST.identity(WHOLE) != REQUEST.identity(Shard(0, 2))


@pytest.mark.parametrize(
    "change",
    [{"receipt": Path("r.json")}, {"options": MirrorOptions(parallel=9, resume=False)}],
)
def test_how_a_mirror_runs_is_not_its_identity(change: dict[str, object]) -> None:
    assert REQUEST.identity(WHOLE) == replace(REQUEST, **change).identity(WHOLE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MirrorOptions(platform=AMD64), MirrorOptions(platforms=(AMD64,))),
        (MirrorOptions(platforms=(AMD64, ARM64)), MirrorOptions(platforms=(ARM64, AMD64, ARM64))),
        (MirrorOptions(platform=ARM64), MirrorOptions(platform=ARM64, platforms=(ARM64,))),
    ],
)
def test_the_same_platforms_are_the_same_mirror(one: MirrorOptions, other: MirrorOptions) -> None:
    first, second = (replace(REQUEST, options=each).identity(WHOLE) for each in (one, other))
    assert first == second
