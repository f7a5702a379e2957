"""Where callers of the library want progress to go."""

from dockless.report.callback import CallbackProgress, ProgressEvent, shown_progress
from dockless.report.progress import QuietProgress
from fakes.progress import FakeProgress


def test_progress_goes_to_an_object_to_a_function_or_nowhere() -> None:
    shown = FakeProgress()
    assert shown_progress(shown) is shown
    assert isinstance(shown_progress(None), QuietProgress)
    assert isinstance(shown_progress(print), CallbackProgress)


def test_a_function_gets_every_event() -> None:
    events: list[ProgressEvent] = []
    progress = shown_progress(events.append)
    progress.note("Source: shop")
    task = progress.start("Uploading", 3)
    task.advance(3)
    task.finish()
    assert [each.kind for each in events if each.kind != "advance"] == ["note", "start", "end"]
    assert events[-1].done == events[-1].total == 3
