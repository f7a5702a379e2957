"""What ends a command from outside: signals, and `--timeout` for the whole command."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from dockless import concurrency

if TYPE_CHECKING:
    from dockless.model.plan import TagMoves

_LOOK_SECONDS = 1.0
_SAME_SECONDS = 1.0
_GRACE_SECONDS = 3.0
_TEARDOWN_SECONDS = 30.0
_IMPORT_SECONDS = 0.02


class Interrupted(BaseException):
    """SIGINT arrived. At KeyboardInterrupt, click writes to standard error, which may be unread."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; everything is torn down as for Ctrl-C."""


class TimeIsOver(BaseException):
    """`--timeout` has expired, and the work does not end by itself."""


class _Stops:
    """The first reason to end: it is raised in the main thread once, so that teardown is whole."""

    def __init__(self) -> None:
        self.first: BaseException | None = None
        self.until: float | None = None
        self.grace = True
        self.before: dict[int, Any] = {}
        self.moves: TagMoves | None = None
        self.moves_tags = False
        self._asked = 0.0
        self._held_back = False

    def clear(self) -> None:
        """Forget what ended another command, as a test runs several in one process."""
        self.first, self.until, self.grace = None, None, True
        self._held_back = False
        concurrency.end_by(None)
        self.moves, self.moves_tags = None, False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise what a signal stands for.

        `timeout` and a terminal that is closed send it twice, and the second would break off the
        teardown; a second Ctrl-C, later than that, means to.
        """
        again = self.first is not None
        if again and (number != signal.SIGINT or time.monotonic() - self._asked < _SAME_SECONDS):
            return
        self._raise(Interrupted() if number == signal.SIGINT else Terminated(), frame)

    def look(self, number: int, frame: FrameType | None) -> None:
        """Raise what should have ended the main thread before: a lost stop, or `--timeout`.

        What a teardown waits for may never come: a stop that is raised within a library may leave
        a lock of it held. Then it is broken off, and the teardown around it goes on.
        """
        del number
        if self._held_back and self.first is not None:
            self._raise(self.first, frame)
        elif self.first is not None:
            in_teardown = sys.exc_info()[0] is not None  # it runs where an error is handled
            patience = _TEARDOWN_SECONDS if in_teardown else _SAME_SECONDS  # or it was swallowed
            if time.monotonic() - self._asked >= patience:
                self._asked = time.monotonic()
                raise self.first
        elif self.until is not None:
            grace = _GRACE_SECONDS if self.grace else 0.0
            if time.monotonic() > self.until + grace:
                self._raise(TimeIsOver(), frame)

    def _raise(self, error: BaseException, frame: FrameType | None) -> None:
        self.first = self.first or error
        self._asked = time.monotonic()
        # the teardown waits for nobody any longer
        end = time.monotonic() + _GRACE_SECONDS
        concurrency.end_by(end if self.until is None else min(end, self.until))
        self._held_back = _is_import(frame)
        if self._held_back:  # its locks would stay held, and another thread's import wait for ever
            signal.setitimer(signal.ITIMER_REAL, _IMPORT_SECONDS, _LOOK_SECONDS)
        else:
            raise error


def _is_import(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_globals.get("__name__") != "importlib._bootstrap":
        frame = frame.f_back
    return frame is not None


def _without_stops(unraisable: "sys.UnraisableHookArgs") -> None:
    """Say nothing of a stop that was raised in a finalizer: it is raised again."""
    if not isinstance(unraisable.exc_value, Interrupted | Terminated | TimeIsOver):
        sys.__unraisablehook__(unraisable)


_stops = _Stops()


def watch() -> None:
    """Let signals end the command, in the main thread.

    It wakes once a second. Python sees a signal between two of its steps: one that comes just
    before a call that blocks, as a read from a pipe, would otherwise not be seen until that call
    ends. And what is raised in a finalizer, or where a library clears every error, as `input` does
    while it flushes the prompt, ends nothing: it is raised again.
    """
    _stops.clear()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            _stops.before[number] = signal.signal(number, _stops.handle)
    sys.unraisablehook = _without_stops
    signal.signal(signal.SIGALRM, _stops.look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_SECONDS, _LOOK_SECONDS)


def heed() -> None:
    """Raise a stop that came within an import, and that the work was faster than."""
    if _stops.first is not None:
        raise _stops.first


def unwatch() -> None:
    """Restore the previous signal handlers, since nothing is left to be released."""
    # once nobody handles it, a late alarm would kill the process
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in _stops.before.items():
        signal.signal(number, handler)


def end_by(moment: float | None) -> None:
    """End the command soon after this moment, on the clock of `time.monotonic`, whatever it does.

    Each step heeds the limit by itself, and says so in its own words; this is for those that do
    not come to an end.
    """
    _stops.until = moment
    concurrency.end_by(moment)


def until() -> float | None:
    """Return the moment of `end_by`; None for none."""
    return _stops.until


@contextlib.contextmanager
def without_grace() -> Iterator[None]:
    """End the command at its limit, not some seconds later, while the block lasts.

    It waits for the user, or for whoever writes to standard input, which know of no limit.
    """
    _stops.grace = False
    try:
        yield
    finally:
        _stops.grace = True


def moves() -> "TagMoves":
    """Return the record of this command's tag updates."""
    from dockless.model.plan import TagMoves  # noqa: PLC0415 - most commands move none

    _stops.moves = _stops.moves or TagMoves()
    return _stops.moves


def begin(*, moves_tags: bool) -> None:
    """Note whether this is a command that updates tags; others are not expected to."""
    _stops.moves_tags = moves_tags


def moved() -> str:
    """Return which tags this command updated and may have updated, as sentences.

    Empty for a command that never updates tags, and before it is known which command it is.
    """
    if not _stops.moves_tags:
        return ""
    return str(_stops.moves) if _stops.moves else "No tag was changed."


def reason(error: BaseException) -> BaseException:
    """Return why the command really ended: a library may have wrapped a stop, or hidden it."""
    return _stops.first or error
