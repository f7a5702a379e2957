import email.utils

import pytest

from dockless.diagnosis.clock import judge
from dockless.model.finding import State

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(0, "ok"), (60, "ok"), (-60, "ok"), (61, "note"), (-300, "note"), (301, "problem")],
)
def test_a_clock_is_judged_by_the_registrys(ahead: int, state: State) -> None:
    [found] = judge(NOW, email.utils.formatdate(NOW - ahead), "", "registry.example.com")
    assert found.state == state
    assert found.facts["aheadSeconds"] == ahead
    assert bool(found.remedy) == (state != "ok")
    assert "registry.example.com" in found.what


def test_what_a_cache_has_kept_is_older_than_it_says() -> None:
    date = email.utils.formatdate(NOW - 3600)
    [found] = judge(NOW, date, "3600", "registry.example.com")
    assert (found.state, found.facts["aheadSeconds"]) == ("ok", 0)


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_without_a_date_it_is_no_more_than_plausible(date: str) -> None:
    [found] = judge(NOW, date, "", "registry.example.com")
    assert found.state == "ok"
    assert "plausible, but not verified" in found.what


@pytest.mark.parametrize("now", [0.0, 4e9 * 2])
def test_a_clock_that_cannot_be_right_is_a_problem_even_then(now: float) -> None:
    [found] = judge(now)
    assert (found.state, bool(found.remedy)) == ("problem", True)
