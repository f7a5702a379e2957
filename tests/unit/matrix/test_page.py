"""docs/compatibility.md shows what versions.toml lists, and a page is made of whole runs only."""

import pytest

from matrix.cells import cells
from matrix.page import PAGE, page, rows
from matrix.records import Record
from matrix.versions import listed, of_kind

DATE = "2026-11-29"


def run() -> list[Record]:
    """Return the records of a run in which everything did what is expected."""
    pushes = [Record(kind="push", key=cell.key, passed=True, did="well") for cell in cells()]
    containers = [
        Record(kind="container", key=(tool.label, by), passed=True, did="well")
        for tool in of_kind("container")
        for by in ("name", "ID")
    ]
    programs = [
        Record(kind="version", key=(program.label,), passed=True, did=program.version)
        for program in listed()
    ]
    return [*pushes, *containers, *programs]


def test_the_page_has_the_versions_that_are_listed() -> None:
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    shown = [
        line for line in written if line.startswith(("| engine", "| regis", "| cont", "| oth"))
    ]
    shown = [line.partition(" (")[0] for line in shown if line.count("|") == 6]
    assert shown[: len(rows())] == list(rows()), "run `make matrix`"


def test_a_page_says_when_all_was_as_expected() -> None:
    text = page(run(), DATE)
    assert DATE in text
    assert "all as expected" in text
    assert "✗ |" not in text


def test_a_page_shows_what_was_not_as_expected() -> None:
    first, *others = run()
    broken = Record(kind="push", key=first.key, passed=False, did="manifests were lost")
    text = page([broken, *others], DATE)
    assert "1 of them did not have the expected result" in text
    assert "| ✗ |" in text
    assert text.endswith(": `manifests were lost`\n")


def test_a_page_has_no_folders_of_the_machine() -> None:
    first, *others = run()
    broken = Record(kind="push", key=first.key, passed=False, did="no /home/me/bin/crane here")
    assert page([broken, *others], DATE).endswith(": `no crane here`\n")


def test_a_newer_version_than_the_listed_one_is_shown() -> None:
    program = next(each for each in listed() if each.origin == "debian")
    seen = Record(kind="version", key=(program.label,), passed=True, did="99.0.0")
    assert "(99.0.0 was run)" in page([*run(), seen], DATE)


def test_half_a_run_makes_no_page() -> None:
    with pytest.raises(LookupError, match="make matrix"):
        page(run()[1:], DATE)
