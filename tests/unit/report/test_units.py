import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockless.report.units import human_size, human_time


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_234, "1.23 kB"),
        (170_000_000, "170 MB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (5_310_000_000, "5.31 GB"),
        (2_000_000_000_000, "2 TB"),
        (7_500_000_000_000_000, "7.5 PB"),
    ],
)
def test_a_size_is_decimal_with_three_digits(count: int, text: str) -> None:
    assert human_size(count) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_a_size_is_never_wrong_by_more_than_its_third_digit(count: int) -> None:
    number, unit = human_size(count).split(" ")
    scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB"].index(unit)
    assert float(number) * scale == pytest.approx(count, rel=0.005)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (1.94, "1.9 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (125.4, "2 min 5 s"),
        (3_600, "60 min 0 s"),
    ],
)
def test_a_time_has_minutes_from_a_minute_on(seconds: float, text: str) -> None:
    assert human_time(seconds) == text
