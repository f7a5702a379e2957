from msgspec.structs import replace

from dockless.model.plan import PushResult
from dockless.report.forecast import forecast_text


def test_what_would_be_pushed_is_counted(result: PushResult) -> None:
    last = forecast_text([result, result], []).splitlines()[-1]
    assert last == "2 images of 2 would be pushed: 2 blobs, 5.31 MB."


def test_that_nothing_would_be_pushed_is_said_without_noughts(result: PushResult) -> None:
    there = replace(result, unchanged=True, plan=replace(result.plan, tags=()))
    [one] = forecast_text([there], []).splitlines()
    assert one == "nothing of 1 image would be pushed: it is there already."
    [two] = forecast_text([there, there], []).splitlines()
    assert two == "nothing of 2 images would be pushed: they are there already."
