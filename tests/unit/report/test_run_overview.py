"""The work on many images or hosts, as lines, as rows, and not at all."""

import io
import re
import threading
from collections.abc import Callable

import pytest
from rich.console import Console

from dockless.model.ended import BUNDLED, HOSTS, MIRRORED, SENDING, ItemEnd
from dockless.report.line_overview import LineOverview
from dockless.report.progress import shown_work
from dockless.report.row_overview import RowOverview
from dockless.report.run_overview import RunOverview
from dockless.report.units import human_size


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def push(shown: RunOverview, name: str, size: int = 40, what: str = "uploading") -> None:
    """Push an image as a worker does: its layers are read, and then sent."""
    with shown.work(name, size, name.removeprefix("r.io/")):
        for _ in range(3):
            shown.start("checking 8a26", 5).complete()
        task = shown.start(what, size)
        task.advance(size)
        task.complete()
        task.finish()
    shown.ended(name, ItemEnd(name=name, fate="arrived", sent=size, seconds=2.0))


@pytest.mark.parametrize("count", [1, 3, 30])
def test_elsewhere_each_image_has_one_line_and_all_of_them_another(
    stream: io.StringIO, clock: Clock, count: int
) -> None:
    with LineOverview(MIRRORED, clock, stream) as shown:
        shown.start("pulling a:1", None).finish()
        shown.expect(count, count * 40)
        for number in range(count):
            clock.now += 1
            push(shown, f"r.io/a:{number}")
    *lines, last = stream.getvalue().splitlines()
    assert lines == [f"r.io/a:{number} arrived, 40 B sent in 2.0 s" for number in range(count)]
    images = "1 image" if count == 1 else f"{count} images"
    sent = human_size(count * 40)
    assert last == f"{images}: {count} arrived; {sent} sent in {count}.0 s (40 B/s)"


def test_failures_and_notes_have_their_own_lines_and_what_was_there_counts_no_bytes(
    stream: io.StringIO, clock: Clock
) -> None:
    with LineOverview(MIRRORED, clock, stream) as shown:
        shown.expect(3)
        with shown.work("r.io/a:1"):
            shown.start("uploading", 900).advance(300)  # and then it fails
        shown.note("r.io/a:1: It is down.\x07")
        shown.ended(1, ItemEnd(name="r.io/a:1", fate="failed", has_line=False))
        shown.ended(2, ItemEnd(name="r.io/b:1", fate="there"))
        clock.now += 10
    assert stream.getvalue().splitlines() == [
        "r.io/a:1: It is down.\\x07",
        "r.io/b:1 is already there",
        "3 images: 1 already there, 1 failed, 1 not done; 300 B sent in 10.0 s (30 B/s)",
    ]


@pytest.mark.parametrize("what", ["checking 8a26", "staging x", "pulling a:1", "sending crane"])
def test_what_is_only_read_is_not_sent(clock: Clock, what: str) -> None:
    shown = RunOverview(MIRRORED, clock)
    shown.start(what, 100).complete()
    assert what not in SENDING
    assert shown.whole().sent == 0


def test_an_image_that_is_tried_again_is_counted_once_and_its_bytes_are_all_counted(
    clock: Clock,
) -> None:
    shown = RunOverview(MIRRORED, clock)
    shown.expect(1, 40)
    for _ in range(2):
        with shown.work("a", 40):
            shown.start("uploading", 40).complete()
    shown.ended("a", ItemEnd(name="a", fate="failed"))
    shown.ended("a", ItemEnd(name="a", fate="arrived", sent=40))
    whole = shown.whole()
    assert (whole.fates, whole.sent, whole.done) == ({"arrived": 1}, 80, 40)


def test_a_long_silence_is_broken_by_how_far_it_is(stream: io.StringIO, clock: Clock) -> None:
    with LineOverview(MIRRORED, clock, stream) as shown:
        shown.start("pulling a:1", None)
        clock.now += 31
        shown.start("pulling b:1", None)
        shown.expect(2, 1000)
        with shown.work("r.io/a:1", 500, "a:1"):
            task = shown.start("uploading", 500)
            for _ in range(70):
                clock.now += 1
                task.advance(5)
        shown.ended("a", ItemEnd(name="r.io/a:1", fate="arrived", sent=500))
    doing = "pulling a:1; pulling b:1; a:1"
    assert stream.getvalue().splitlines()[:3] == [
        "pulling a:1; pulling b:1",
        f"0 of 2 images, 150 B sent, 5 B/s, 2 min 50 s left - {doing}: uploading 150 B of 500 B",
        f"0 of 2 images, 300 B sent, 5 B/s, 2 min 20 s left - {doing}: uploading 300 B of 500 B",
    ]


def test_a_bundle_that_fails_has_no_summary_and_an_interrupted_mirror_has(
    clock: Clock,
) -> None:
    for words, said in ((BUNDLED, ""), (MIRRORED, "2 images: 2 not done; nothing sent in 0.0 s\n")):
        stream = io.StringIO()

        def fail(shown: RunOverview) -> None:
            with shown:
                shown.expect(2)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail(LineOverview(words, clock, stream))
        assert stream.getvalue() == said


@pytest.mark.parametrize("make", [LineOverview, RowOverview])
def test_work_that_found_nothing_to_do_says_nothing(
    make: Callable[..., RunOverview], stream: io.StringIO, clock: Clock
) -> None:
    color = {"color": False} if make is RowOverview else {}
    with make(MIRRORED, clock, stream, **color):
        pass
    assert stream.getvalue() == ""


def test_a_terminal_has_a_row_for_all_and_one_for_each_worker(
    stream: io.StringIO, clock: Clock
) -> None:
    with RowOverview(MIRRORED, clock, stream, color=False) as shown:
        shown.expect(3, 120)
        clock.now += 2
        push(shown, "r.io/a:1")
        with shown.work("r.io/b:1", 40, "b:1"):
            task = shown.start("uploading", 40)
            task.advance(10)
            seen = plain(drawn(shown))
        assert [line.split("━")[0].rstrip() for line in seen.splitlines()] == [
            "1 of 3 images, 50 B sent, 25 B/s, 2.8 s left",
            "b:1: uploading 10 B of 40 B",
        ]
    assert (
        plain(stream.getvalue())
        .splitlines()[-1]
        .endswith("3 images: 1 arrived, 2 not done; 50 B sent in 2.0 s (25 B/s)")
    )


def drawn(shown: RowOverview) -> str:
    """Return what is drawn now."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with console.capture() as captured:
        console.print(shown._table())
    return captured.get()


@pytest.mark.parametrize("width", [20, 60])
def test_a_row_is_one_line_however_long_its_name(
    clock: Clock, stream: io.StringIO, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    with RowOverview(HOSTS, clock, stream, color=False) as shown:
        shown.expect(2)
        with shown.work("host" * 50) as row:
            row.step("Transfer: relay (it can)\x1b[2J")
            assert len(drawn(shown).splitlines()) == 2


def test_hosts_have_rows_with_what_they_do_and_notes_with_their_names(
    stream: io.StringIO, clock: Clock
) -> None:
    with LineOverview(HOSTS, clock, stream) as shown:
        shown.expect(2)
        rows = [shown.work(f"h{number}") for number in range(2)]
        for row in rows:
            row.step("Source: docker image shop:1")
            row.note("It is busy. Retrying in 1.0 s.")
        assert rows[0].text == "h0: Source: docker image shop:1"
        task = rows[0].start("sending crane", 100)
        task.advance(50)
        assert (rows[0].text, rows[0].part) == ("h0: sending crane 50 B of 100 B", 0.5)
        for row in rows:
            row.close()
            row.close()
        assert shown.rows() == ()
    assert stream.getvalue().splitlines()[:2] == [
        "h0: It is busy. Retrying in 1.0 s.",
        "h1: It is busy. Retrying in 1.0 s.",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_work_shows_nothing(stream: io.StringIO, *, terminal: bool) -> None:
    _, shown = shown_work(stream, MIRRORED, quiet=True, terminal=terminal, color=True)
    assert shown
    with shown:
        shown.expect(1, 40)
        push(shown, "r.io/a:1")
        shown.note("One remark.")
    assert stream.getvalue() == ""


def test_threads_have_each_its_row(clock: Clock) -> None:
    shown, ready = RunOverview(MIRRORED, clock), threading.Barrier(4, timeout=60)
    shown.expect(4, 4 * 3_000)

    def work(name: str) -> None:
        with shown.work(name, 3_000) as row:
            task = shown.start("uploading", 3_000)
            ready.wait()
            assert row.tasks == [task]
            for _ in range(3_000):
                task.advance(1)
            task.finish()
        shown.ended(name, ItemEnd(name=name, fate="arrived", sent=3_000))

    threads = [threading.Thread(target=work, args=(f"a:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = shown.whole()
    assert (whole.sent, whole.done, whole.fates) == (12_000, 12_000, {"arrived": 4})
    assert shown.rows() == ()
