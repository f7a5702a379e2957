import io
import itertools
from collections.abc import Callable

import pytest

from dockless.model.secret import Secret
from dockless.ports import Progress
from dockless.report.bars import BarProgress
from dockless.report.progress import LineProgress, QuietProgress, progress


def _ticking() -> Callable[[], float]:
    """Return a clock that is a second later at every look."""
    return itertools.count(100.0).__next__


def _push(shown: Progress) -> None:
    task = shown.start("Uploading", 180_000_000)
    for _ in range(12):
        task.advance(15_000_000)
    task.finish()
    shown.note("One remark.")


def test_lines_tell_the_start_every_five_seconds_and_the_end() -> None:
    stream = io.StringIO()
    with LineProgress(stream, _ticking()) as lines:
        _push(lines)

    assert stream.getvalue().splitlines() == [
        "Uploading: 180 MB",
        "Uploading: 75 MB of 180 MB (41%), 15 MB/s",
        "Uploading: 150 MB of 180 MB (83%), 15 MB/s",
        "Uploading: 180 MB in 13.0 s, 13.8 MB/s",
        "One remark.",
    ]


def test_lines_have_no_control_characters() -> None:
    stream = io.StringIO()
    LineProgress(stream, _ticking()).note("\x1b]0;title\x07")

    assert stream.getvalue() == "\\x1b]0;title\\x07\n"


def test_quiet_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with QuietProgress() as quiet:
        _push(quiet)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("quiet", "terminal", "kind"),
    [
        (False, False, LineProgress),
        (False, True, BarProgress),
        (True, False, QuietProgress),
        (True, True, QuietProgress),
    ],
)
def test_quiet_comes_first_then_the_terminal_decides(
    *, quiet: bool, terminal: bool, kind: type
) -> None:
    chosen = progress(io.StringIO(), _ticking(), quiet=quiet, terminal=terminal, color=False)

    assert type(chosen) is kind


def test_a_secret_is_refused_not_shown() -> None:
    stream = io.StringIO()
    with pytest.raises(TypeError):
        LineProgress(stream, _ticking()).note(Secret("hunter2"))  # type: ignore[arg-type]

    assert stream.getvalue() == ""
