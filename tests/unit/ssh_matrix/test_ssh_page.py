"""docs/ssh.md shows the set-ups that there are, and a page is made of whole runs only."""

import pytest

from ssh_matrix.page import PAGE, page
from ssh_matrix.records import Record
from ssh_matrix.table import SETUPS, is_sampled


def run() -> list[Record]:
    """Return the records of a run in which both did the same."""
    return [
        Record(
            name=setup.name,
            ssh="in",
            dockless="in",
            ssh_words="",
            dockless_words="",
            ssh_seconds=0.1,
            dockless_seconds=0.5,
            same=not setup.differs,
        )
        for setup in SETUPS
    ]


def test_the_page_has_the_set_ups_that_there_are() -> None:
    written = [line.split(" | ")[0] for line in PAGE.read_text().splitlines()]
    shown = [f"| {each.name}{' *' if is_sampled(each) else ''}" for each in SETUPS]
    kept = [line for line in written if line in set(shown)]
    assert kept == shown, "run `make ssh-matrix`"


def test_each_set_up_has_a_name_of_its_own() -> None:
    assert len({each.name for each in SETUPS}) == len(SETUPS) > 45


def test_set_ups_of_each_group_are_run_each_time() -> None:
    groups = {each.group for each in SETUPS if is_sampled(each)}
    assert groups == {each.group for each in SETUPS}


def test_a_page_tells_what_differs_and_why() -> None:
    text = page(run())
    for setup in SETUPS:
        assert not setup.differs or setup.differs in text
    assert "not as expected" not in text


def test_a_run_that_lacks_a_set_up_makes_no_page() -> None:
    with pytest.raises(LookupError, match=r"run all of `make ssh-matrix`"):
        page(run()[1:])


def test_slow_set_ups_show_their_seconds() -> None:
    first, *others = run()
    slow = Record(
        **{**{name: getattr(first, name) for name in first.__slots__}, "ssh_seconds": 95.0}
    )
    assert "| in, 90 s | in |" in page([slow, *others])
