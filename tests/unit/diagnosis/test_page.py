import threading
from collections.abc import Callable, Iterable, Iterator

import pytest
from msgspec.structs import replace

from dockless.diagnosis.page import Check, examine
from dockless.errors import EngineError
from dockless.model.finding import Finding, State


def _finding(subject: str, state: State = "ok") -> Finding:
    return Finding(area="area", subject=subject, state=state, what="seen", remedy="Repair it.")


def _check(
    subject: str, look: Callable[[], Iterable[Finding]] | None = None, *, needed: bool = False
) -> Check:
    return Check(
        area="area", subject=subject, look=look or (lambda: [_finding(subject)]), needed=needed
    )


def _raise(error: BaseException) -> Callable[[], Iterator[Finding]]:
    def look() -> Iterator[Finding]:
        yield _finding("before")
        raise error

    return look


@pytest.fixture
def hanging() -> Iterator[Callable[[], Iterator[Finding]]]:
    """What never answers while the test runs."""
    over = threading.Event()

    def look() -> Iterator[Finding]:
        over.wait()
        yield _finding("late")

    yield look
    over.set()


def test_findings_come_in_the_order_of_their_checks() -> None:
    lanes = [(_check("a"), _check("b")), (_check("c"),)]
    assert [finding.subject for finding in examine(lanes)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (EngineError("It broke.", "Repair it."), "It broke.", "Repair it."),
        (EngineError("It broke."), "It broke.", "Check the file or setting named above."),
        (
            ZeroDivisionError("secret"),
            "The check itself failed: zero division error.",
            "Please report it; the other checks are not affected.",
        ),
        (
            SystemExit("secret"),
            "The check itself failed: system exit.",
            "Please report it; the other checks are not affected.",
        ),
    ],
)
def test_a_check_that_fails_is_one_problem_and_stops_no_other(
    error: BaseException, what: str, remedy: str
) -> None:
    bad, good, last = examine([(_check("a", _raise(error)), _check("b")), (_check("c"),)])
    assert (bad.subject, bad.state, bad.what, bad.remedy) == ("a", "problem", what, remedy)
    assert (good.subject, last.subject) == ("b", "c")


def test_a_check_that_hangs_is_one_problem_and_stops_no_other(
    hanging: Callable[[], Iterator[Finding]],
) -> None:
    bad, good, last = examine([(_check("a", hanging), _check("b")), (_check("c"),)], each=0.2)
    assert (bad.subject, bad.state, bad.what) == (
        "a",
        "problem",
        "The check did not finish within 0.2 seconds.",
    )
    assert (good.subject, last.subject) == ("b", "c")


def test_the_whole_page_is_bounded_and_says_what_there_was_no_time_for(
    hanging: Callable[[], Iterator[Finding]],
) -> None:
    found = examine([(_check("a"), _check("b", hanging), _check("c"))], whole=0.5)
    assert [(one.subject, one.state) for one in found] == [
        ("a", "ok"),
        ("b", "problem"),
        ("c", "problem"),
    ]
    assert found[1].what == "The time limit was reached before this check."


def test_what_needs_a_check_that_has_a_problem_is_left_out_in_one_line() -> None:
    broken = _check("a", lambda: [_finding("a", "problem")], needed=True)
    found = examine([(broken, _check("b"), _check("c"))])
    assert [(one.subject, one.state) for one in found] == [("a", "problem"), ("b, c", "note")]
    assert found[1].what == "were not checked, since a has a problem"


def test_why_a_check_was_left_out_is_said_in_words() -> None:
    why = "the host name could not be resolved"
    name = _check("name", lambda: [_finding("name", "problem")], needed=True)
    broken = replace(name, failure=why)
    found = examine([(broken, _check("port"))])
    assert (found[1].subject, found[1].what) == ("port", f"was not checked, since {why}")


@pytest.mark.parametrize("state", ["ok", "note"])
def test_a_needed_check_without_a_problem_stops_nothing(state: State) -> None:
    check = _check("a", lambda: [_finding("a", state)], needed=True)
    assert [one.subject for one in examine([(check, _check("b"))])] == ["a", "b"]
