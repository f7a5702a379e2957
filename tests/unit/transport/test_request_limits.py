import math

import pytest

from dockless.transport.request_limits import RequestLimits


@pytest.mark.parametrize("most", [None, 1, 8])
def test_a_registry_has_its_own_slots_which_all_share(most: int | None) -> None:
    limits = RequestLimits(most=most)
    one, other = limits.slots("r.io"), limits.slots("ghcr.io")
    assert limits.slots("r.io") is one
    assert other is not one
    assert (one.most, other.most) == (most, most)


@pytest.mark.parametrize(("until", "is_endless"), [(None, False), (10.0, True)])
def test_only_a_limit_of_time_lets_a_pause_be_of_any_length(
    until: float | None, *, is_endless: bool
) -> None:
    limits = RequestLimits(until=until)
    assert limits.until == until
    assert (limits.shared_backoff.longest == math.inf) is is_endless
