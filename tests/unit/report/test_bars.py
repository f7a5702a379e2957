import io
import re
import subprocess
import sys
import threading

import pytest

from dockless.model.secret import Secret
from dockless.ports import Progress
from dockless.report.bars import BarProgress

SHOW_CURSOR = "\x1b[?25h"
ERASE_LINE_ABOVE = "\r\x1b[1A\x1b[2K"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _upload(shown: Progress, clock: Clock) -> None:
    task = shown.start("Uploading [shop]", 400_000_000)
    for _ in range(4):
        clock.now += 0.5
        task.advance(50_000_000)


def _run(stream: io.StringIO, *, color: bool = True) -> None:
    clock = Clock()
    with BarProgress(stream, clock, color=color) as bars:
        _upload(bars, clock)


def test_a_bar_shows_bytes_rate_and_time_left() -> None:
    stream = io.StringIO()
    _run(stream)

    last = _plain(stream.getvalue()).rstrip().splitlines()[-1]
    assert re.fullmatch(r"Uploading \[shop\] \S+ 200\.0/400\.0 MB 100\.0 MB/s 00:02", last)


@pytest.mark.parametrize("color", [True, False])
def test_colours_are_drawn_only_when_they_are_wanted(*, color: bool) -> None:
    stream = io.StringIO()
    _run(stream, color=color)

    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9;]*m", stream.getvalue())) is color


def test_a_task_that_ended_leaves_one_line_and_no_bar() -> None:
    stream, clock = io.StringIO(), Clock()
    with BarProgress(stream, clock, color=True) as bars:
        task = bars.start("Staging", 530_000_000)
        clock.now += 2
        task.advance(530_000_000)
        task.finish()

    _, line, after = _plain(stream.getvalue()).partition("Staging: 530 MB in 2.0 s, 265 MB/s\n")
    assert line
    assert "Staging" not in after


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_bars_go_away_whatever_happens(error: type[BaseException]) -> None:
    stream = io.StringIO()

    def fail() -> None:
        with BarProgress(stream, Clock(), color=True) as bars:
            bars.start("Staging", 5)
            raise error

    with pytest.raises(error):
        fail()
    drawn, _, rest = stream.getvalue().rpartition(SHOW_CURSOR)
    assert "Staging" in drawn
    assert rest == ERASE_LINE_ABOVE


def test_notes_are_shown_whole_and_as_they_are() -> None:
    stream = io.StringIO()
    long = "[red]:whale: " + "x" * 300
    with BarProgress(stream, Clock(), color=True) as bars:
        bars.note(f"before {long} \x1b[2J")
        bars.start("Staging", 5)
        bars.note(f"within {long} \x1b[2J")

    shown = stream.getvalue()
    assert f"before {long} \\x1b[2J\n" in shown
    assert f"within {long} \\x1b[2J" in shown


def test_stdout_is_left_alone() -> None:
    stdout, stderr = sys.stdout, sys.stderr
    with BarProgress(io.StringIO(), Clock(), color=True) as bars:
        bars.start("Staging", 5)
        assert (sys.stdout, sys.stderr) == (stdout, stderr)


def test_threads_may_start_advance_and_finish_at_once() -> None:
    stream, clock = io.StringIO(), Clock()

    def work(name: str) -> None:
        task = bars.start(name, 3_000)
        for _ in range(3_000):
            clock.now += 0.01
            task.advance(1)
        task.finish()

    with BarProgress(stream, clock, color=False) as bars:
        threads = [threading.Thread(target=work, args=(f"Task{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ends = re.findall(r"(Task\d): 3 kB in", _plain(stream.getvalue()))
    assert sorted(ends) == ["Task0", "Task1", "Task2", "Task3"]


def test_rich_is_loaded_with_the_first_bar() -> None:
    script = (
        "import io, sys, time\n"
        "from dockless.report.progress import progress\n"
        "stderr, clock = io.StringIO(), time.monotonic\n"
        "with progress(stderr, clock, quiet=False, terminal=True, color=True) as shown:\n"
        "    shown.note('text')\n"
        "    assert 'rich' not in sys.modules\n"
        "    shown.start('Staging', 1).finish()\n"
        "    assert 'rich' in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_secret_is_refused_not_shown() -> None:
    stream = io.StringIO()
    with BarProgress(stream, Clock(), color=True) as bars:
        with pytest.raises(TypeError):
            bars.note(Secret("hunter2"))  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            bars.start(Secret("hunter2"), 1)  # type: ignore[arg-type]

    assert "hunter2" not in stream.getvalue()
    assert "***" not in stream.getvalue()
