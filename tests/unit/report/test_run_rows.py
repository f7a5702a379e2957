import pytest

from dockless.model.ended import MIRRORED
from dockless.report.run_overview import RunOverview
from dockless.report.run_rows import RunRow


@pytest.fixture
def row() -> RunRow:
    return RunOverview(MIRRORED, lambda: 0.0).work("r.io/shop:v1", 40, "shop:v1")


def test_a_row_says_what_was_told_last(row: RunRow) -> None:
    assert row.text == "shop:v1"
    row.step("looking for the\nimage")
    assert (row.text, row.part) == (r"shop:v1: looking for the\nimage", None)


@pytest.mark.parametrize(
    ("total", "done", "text", "part"),
    [
        (None, 0, "shop:v1: reading", None),
        (None, 500, "shop:v1: reading 500 B", None),
        (1000, 250, "shop:v1: reading 250 B of 1 kB", 0.25),
        (1000, 3000, "shop:v1: reading 3 kB of 1 kB", 1.0),
    ],
)
def test_a_row_says_how_far_its_last_task_is(
    row: RunRow, total: int | None, done: int, text: str, part: float | None
) -> None:
    row.start("checking", 10)
    row.start("reading", total).advance(done)
    assert (row.text, row.part) == (text, part)


def test_a_task_that_has_ended_counts_nothing_more(row: RunRow) -> None:
    task = row.start("reading", 10)
    task.complete()
    task.advance(5)
    task.finish()
    assert (task.done, row.tasks, row.text) == (10, [], "shop:v1")
