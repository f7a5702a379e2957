import importlib
import tomllib

import pytest

from cases.run import _EXPECTED, Row

TABLE = tomllib.loads(_EXPECTED.read_text())
CASES = [(group, name) for group, cases in TABLE.items() for name in cases]


@pytest.mark.parametrize(("group", "name"), CASES)
def test_every_case_of_the_table_is_there_and_says_what_is_right(group: str, name: str) -> None:
    case = TABLE[group][name]
    assert (getattr(importlib.import_module(f"cases.{group}"), case["run"]).__doc__ or "").strip()
    assert case["expect"]


@pytest.mark.parametrize(
    ("came", "issue", "verdict"),
    [
        ("0", 0, "ok"),
        ("70", 0, "DIFFERENT"),
        ("00", 0, "DIFFERENT"),
        ("70", 19, "open (19)"),
        ("0", 19, "PASSES NOW (19)"),
    ],
)
def test_a_difference_counts_unless_its_issue_is_open(came: str, issue: int, verdict: str) -> None:
    assert Row("field/x", "push", "0", came, issue).verdict == verdict
