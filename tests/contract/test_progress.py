"""Every `ports.Progress`, and the fake of it, does the same for those who work."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from dockless.model.ended import HOSTS, MIRRORED
from dockless.ports import Progress
from dockless.report.bars import BarProgress
from dockless.report.callback import CallbackProgress
from dockless.report.line_overview import LineOverview
from dockless.report.progress import LineProgress, QuietProgress
from dockless.report.row_overview import RowOverview
from dockless.report.run_overview import RunOverview
from dockless.usecases.overview import Unshown
from fakes.progress import FakeProgress

_CLOCK = time.monotonic


def _line_row() -> AbstractContextManager[Progress]:
    return LineOverview(HOSTS, _CLOCK, io.StringIO()).work("host")


_MADE: dict[str, Callable[[], AbstractContextManager[Progress]]] = {
    "lines": lambda: LineProgress(io.StringIO(), _CLOCK),
    "bars": lambda: BarProgress(io.StringIO(), _CLOCK, color=True),
    "quiet": QuietProgress,
    "callback": lambda: nullcontext(CallbackProgress(lambda _: None, _CLOCK)),
    "overview that is quiet": lambda: RunOverview(MIRRORED, _CLOCK),
    "overview in lines": lambda: LineOverview(MIRRORED, _CLOCK, io.StringIO()),
    "overview in rows": lambda: RowOverview(MIRRORED, _CLOCK, io.StringIO(), color=True),
    "row": _line_row,
    "unshown": lambda: Unshown(FakeProgress(), "host"),
    "fake": lambda: nullcontext(FakeProgress()),
}


@pytest.fixture(params=_MADE)
def progress(request: pytest.FixtureRequest) -> Iterator[Progress]:
    with ExitStack() as stack:
        yield stack.enter_context(_MADE[request.param]())


@pytest.mark.parametrize("total", [None, 0, 5])
def test_work_may_end_well_or_not_and_more_than_once(progress: Progress, total: int | None) -> None:
    for end in ("complete", "finish"):
        task = progress.start("uploading", total)
        task.advance(0)
        task.advance(3)
        getattr(task, end)()
        task.finish()
        task.complete()
        task.advance(2)


def test_notes_may_be_any_text(progress: Progress) -> None:
    for text in ("", "One remark.", "[red]\x1b[2J", "two\nlines", "ä\udcff"):
        progress.note(text)


def test_threads_may_work_at_once(progress: Progress) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            task = progress.start(f"task {number}", 500)
            for _ in range(500):
                task.advance(1)
            progress.note(f"note {number}")
            task.complete()
        except BaseException as error:  # noqa: BLE001 - what fails in a thread is looked at below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
