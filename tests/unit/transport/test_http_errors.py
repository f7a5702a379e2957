import email.utils
from types import SimpleNamespace

import pytest

from dockless.transport import http_errors


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("0", 0),
        ("-3", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        (email.utils.formatdate(1_000_060, usegmt=True), 60),
        (email.utils.formatdate(0, usegmt=True), None),
        ("inf", None),
        ("999999999999", 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    monkeypatch: pytest.MonkeyPatch, header: str, expected: float
) -> None:
    monkeypatch.setattr(http_errors, "time", SimpleNamespace(time=lambda: 1_000_000.0))
    assert http_errors.retry_after(header) == expected


@pytest.mark.parametrize("header", ["", "soon"])
def test_a_retry_after_that_says_nothing_is_none(header: str) -> None:
    assert http_errors.retry_after(header) is None
