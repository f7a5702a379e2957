"""An error that several images of a mirror have is printed once, with how many it hit."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, DocklessError, NetworkError, PushError, SourceError
from dockless.usecases.mirror.complaints import Complaints
from dockless.usecases.mirror.receipt_writer import ReceiptWriter
from dockless.usecases.mirror.run import Lost
from fakes.mirror import FakeLog, FakeReceipt, items


class Told:
    """A writer of receipts, and what it printed."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.lines: list[str] = []
        self.items = items(folder, *names)
        self.writer = ReceiptWriter(FakeReceipt(), FakeLog(), self.lines.append)

    def ended(self, *errors: DocklessError) -> list[str]:
        """Return what is printed where the images end so."""
        self.writer.begin(self.items, [])
        for item, error in zip(self.items, errors, strict=True):
            self.writer.tell(item, error)
        before = list(self.lines)
        self.writer.finish()
        return self.lines[len(before) :]


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("r.io cannot be reached: Connection refused.", "Check the network."),
        AuthError("r.io rejects the credential of user ann.", "Check the password."),
        PushError("A disk is full.", "Free some space."),
    ],
)
def test_an_error_that_all_have_is_printed_for_the_first_and_counted(
    tmp_path: Path, error: DocklessError
) -> None:
    told = Told(tmp_path, "a", "b", "c", "d", "e", "f")
    last = told.ended(*[error] * 6)
    first, *others = [str(each.references[0]) for each in told.items]
    assert told.lines == [f"{first}: {error}", *last]
    assert last == [
        f"5 other images failed with the error of {first}: {', '.join(others[:3])} and 2 more."
    ]
    assert [each.error for each in told.writer.lines()] == [error] * 6, "the receipt has each"


def test_the_repository_in_an_error_makes_it_no_other_one(tmp_path: Path) -> None:
    told = Told(tmp_path, "a", "b", "c")
    denied = [
        AuthError(f"r.io does not allow ann to use {each.repository}.") for each in told.items
    ]
    (last,) = told.ended(*denied)
    assert len(told.lines) == 2
    assert last.startswith("2 other images failed with the error of ")
    assert [each.error for each in told.writer.lines()] == denied


def test_different_errors_are_printed_each(tmp_path: Path) -> None:
    told = Told(tmp_path, "a", "b", "c")
    errors = [PushError("One."), NetworkError("One."), PushError("One.", "Do it.")]
    assert not told.ended(*errors)
    assert len(told.lines) == 3


def test_a_failure_that_is_tried_again_counts_once(tmp_path: Path) -> None:
    told, error = Told(tmp_path, "a", "b"), NetworkError("It does not respond.")
    one, other = told.items
    told.writer.begin(told.items, [])
    for item in told.items:
        told.writer.tell(item, error, again=True)
    assert not told.lines
    told.writer.tell(one, error)
    told.writer.tell(other, error)
    told.writer.finish()
    assert len(told.lines) == 2
    assert told.lines[1].startswith("1 other image failed")


def lost(name: str, origin: str, what: str = "r.io cannot be reached.") -> Lost:
    error = NetworkError(f"{origin}: {what}" if origin else what, "Check the network.")
    return Lost(source=name, name=name, error=error, origin=origin)


@pytest.mark.parametrize(
    ("places", "named"),
    [
        (("", "", ""), "a, b, c"),
        (("l:1:1", "l:2:1", "l:9:1"), "a (l:1:1), b (l:2:1), c (l:9:1)"),
        (("l:1:1", "", "l:9:1"), "a (l:1:1), b, c (l:9:1)"),
    ],
)
def test_what_was_lost_for_one_reason_is_one_line(
    tmp_path: Path, places: tuple[str, ...], named: str
) -> None:
    told = Told(tmp_path)
    missing = replace(lost("d", ""), error=SourceError("There is no file d."))
    images = [lost(name, place) for name, place in zip("abc", places, strict=True)]
    told.writer.begin((), [*images, missing])
    assert told.lines == [
        f"r.io cannot be reached. This error hit 3 images: {named}. Check the network.",
        "There is no file d.",
    ]
    assert [each.error for each in told.writer.lines()] == [
        each.error for each in (*images, missing)
    ]


def test_one_that_is_lost_is_told_with_its_place(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.writer.begin((), [lost("a", "l.txt:1:1"), lost("b", "l.txt:2:1", "It is not there.")])
    assert told.lines == [
        "l.txt:1:1: r.io cannot be reached. Check the network.",
        "l.txt:2:1: It is not there. Check the network.",
    ]


def test_nothing_is_printed_twice_at_the_end() -> None:
    lines: list[str] = []
    complaints = Complaints(lines.append)
    for name in "ab":
        complaints.add("", name, PushError("It broke."), "r.io/x")
    complaints.finish()
    complaints.finish()
    assert len(lines) == 2
