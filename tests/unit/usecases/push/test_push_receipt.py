"""What is said where the receipt of a push cannot be written."""

from collections.abc import Callable

import pytest

from dockless.errors import DocklessError, PushError, UsageError
from dockless.oci.reference import Reference
from dockless.usecases.push.push_receipt import PushReceipt

IMAGES = {"shop:1": (Reference.parse("registry.example/shop:1"),)}
FULL = "The receipt r.json cannot be written: No space left on device."


class Unwritable:
    """The receipt on a full disk."""

    def __init__(self, error: DocklessError, *, first: bool) -> None:
        self._error, self._fails = error, first

    def document(self, *_: object, finished: bool) -> dict[str, object]:
        return {"finished": finished}

    def write(self, *_: object, **__: object) -> None:
        if self._fails:
            raise self._error
        self._fails = True


@pytest.mark.parametrize(
    "error",
    [PushError(FULL, "Free some."), PushError("The disk failed."), UsageError("It is a socket.")],
)
def test_the_reason_to_stop_is_told_once(error: DocklessError) -> None:
    receipt = Unwritable(error, first=True)
    with pytest.raises(type(error)) as caught, PushReceipt(lambda *_: receipt) as written:
        written.begin("a.tar", IMAGES)
    assert caught.value.what == error.what


@pytest.mark.parametrize("what", ["The push failed.", "The registry is down.", "It has no layer."])
@pytest.mark.parametrize("make", [PushError, UsageError])
def test_another_reason_is_told_together_with_it(
    what: str, make: Callable[[str], DocklessError]
) -> None:
    receipt = Unwritable(PushError(FULL), first=False)
    written = PushReceipt(lambda *_: receipt)
    written.begin("a.tar", IMAGES)
    error = make(what)
    with pytest.raises(DocklessError) as caught:
        written.__exit__(type(error), error, None)
    assert caught.value.what == f"{what} {FULL}"
