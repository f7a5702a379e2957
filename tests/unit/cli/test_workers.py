import pytest

from dockless.cli.workers import Bounds


@pytest.mark.parametrize(
    ("bounds", "workers", "each"),
    [
        (Bounds(4), 4, 8),
        (Bounds(4, 4), 1, 1),
        (Bounds(4, 8), 2, 1),
        (Bounds(4, 100), 4, 22),
        (Bounds(64, 10), 3, 1),
    ],
)
def test_connections_are_shared_out_with_two_for_each_engine(
    bounds: Bounds, workers: int, each: int
) -> None:
    assert (bounds.workers, bounds.connections_of_one) == (workers, each)
    if bounds.connections:
        assert 1 + workers * (each + 2) <= bounds.connections
